CREATE TABLE `pending_registrations` (
	`id` text PRIMARY KEY NOT NULL,
	`email` text NOT NULL,
	`email_key` text NOT NULL,
	`username` text NOT NULL,
	`username_key` text NOT NULL,
	`password_hash` text NOT NULL,
	`password_scheme` text NOT NULL,
	`name` text,
	`locale` text,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `pending_registrations_email_key_index` ON `pending_registrations` (`email_key`);--> statement-breakpoint
CREATE INDEX `pending_registrations_expires_at_index` ON `pending_registrations` (`expires_at`);