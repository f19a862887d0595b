CREATE TABLE `audit_erasures` (
	`user_id` integer PRIMARY KEY NOT NULL,
	`next_id` integer NOT NULL,
	`keep_until` integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE `sessions` ADD `late_retries` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `sessions` ADD `late_retried_at` integer;--> statement-breakpoint
ALTER TABLE `sessions` ADD `device_name` text;