CREATE TABLE `proofs` (
	`id` text PRIMARY KEY NOT NULL,
	`purpose` text NOT NULL,
	`user_id` integer,
	`subject` text,
	`address_key` text NOT NULL,
	`epoch` integer,
	`token_mac` text,
	`code_mac` text,
	`code_until` integer,
	`tries` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `proofs_token_mac_unique` ON `proofs` (`token_mac`);--> statement-breakpoint
CREATE INDEX `proofs_user_id_purpose_index` ON `proofs` (`user_id`,`purpose`);--> statement-breakpoint
CREATE INDEX `proofs_subject_index` ON `proofs` (`subject`);--> statement-breakpoint
CREATE INDEX `proofs_expires_at_index` ON `proofs` (`expires_at`);--> statement-breakpoint
ALTER TABLE `mails` ADD `sealed` text;--> statement-breakpoint
ALTER TABLE `mails` ADD `sealed_until` integer;--> statement-breakpoint
CREATE INDEX `mails_sealed_until_index` ON `mails` (`sealed_until`);