CREATE TABLE `mails` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`user_id` integer,
	`recipient` text NOT NULL,
	`locale` text NOT NULL,
	`details` text NOT NULL,
	`state` text NOT NULL,
	`attempts` integer NOT NULL,
	`due_at` integer NOT NULL,
	`created_at` integer NOT NULL,
	`ended_at` integer,
	`error` text
);
--> statement-breakpoint
CREATE INDEX `mails_state_due_at_index` ON `mails` (`state`,`due_at`);--> statement-breakpoint
CREATE INDEX `mails_ended_at_index` ON `mails` (`ended_at`);--> statement-breakpoint
CREATE INDEX `mails_user_id_index` ON `mails` (`user_id`);--> statement-breakpoint
ALTER TABLE `users` ADD `locale` text;