CREATE TABLE `factor_accounts` (
	`user_id` integer PRIMARY KEY NOT NULL,
	`webauthn_handle` text,
	`failed_in_row` integer DEFAULT 0 NOT NULL,
	`locked_at` integer,
	`due_at` integer,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `factor_accounts_webauthn_handle_unique` ON `factor_accounts` (`webauthn_handle`) WHERE webauthn_handle is not null;--> statement-breakpoint
CREATE TABLE `factor_challenges` (
	`id` text PRIMARY KEY NOT NULL,
	`purpose` text NOT NULL,
	`mac` text,
	`user_id` integer NOT NULL,
	`session_id` text,
	`epoch` integer NOT NULL,
	`amr` text NOT NULL,
	`login` text NOT NULL,
	`challenge` text,
	`tries` integer NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `factor_challenges_mac_unique` ON `factor_challenges` (`mac`) WHERE mac is not null;--> statement-breakpoint
CREATE INDEX `factor_challenges_user_id_index` ON `factor_challenges` (`user_id`);--> statement-breakpoint
CREATE INDEX `factor_challenges_expires_at_index` ON `factor_challenges` (`expires_at`);--> statement-breakpoint
CREATE TABLE `passkeys` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`user_id` integer NOT NULL,
	`credential_id` text NOT NULL,
	`public_key` text NOT NULL,
	`alg` integer NOT NULL,
	`sign_count` integer NOT NULL,
	`rp_id` text NOT NULL,
	`kind` text NOT NULL,
	`is_uv_initialized` integer NOT NULL,
	`is_backup_eligible` integer NOT NULL,
	`is_backed_up` integer NOT NULL,
	`aaguid` text NOT NULL,
	`transports` text NOT NULL,
	`name` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `passkeys_credential_id_unique` ON `passkeys` (`credential_id`);--> statement-breakpoint
CREATE INDEX `passkeys_user_id_index` ON `passkeys` (`user_id`);--> statement-breakpoint
CREATE TABLE `recovery_codes` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`user_id` integer NOT NULL,
	`mac` text NOT NULL,
	`created_at` integer NOT NULL,
	`used_at` integer,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `recovery_codes_user_id_mac_unique` ON `recovery_codes` (`user_id`,`mac`);--> statement-breakpoint
CREATE TABLE `totp_factors` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`user_id` integer NOT NULL,
	`name` text NOT NULL,
	`secret` text NOT NULL,
	`last_step` integer,
	`confirmed_at` integer,
	`last_used_at` integer,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `totp_factors_user_id_index` ON `totp_factors` (`user_id`);--> statement-breakpoint
CREATE INDEX `totp_factors_pending_index` ON `totp_factors` (`created_at`) WHERE confirmed_at is null;--> statement-breakpoint
CREATE TABLE `used_nonces` (
	`nonce` text PRIMARY KEY NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `used_nonces_expires_at_index` ON `used_nonces` (`expires_at`);--> statement-breakpoint
ALTER TABLE `clients` ADD `required_acr` text;--> statement-breakpoint
ALTER TABLE `roles` ADD `requires_second_factor` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `sessions` ADD `mfa_time` integer;