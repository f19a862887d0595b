ALTER TABLE `users` ADD `inactive_until` integer;--> statement-breakpoint
CREATE INDEX `users_inactive_until_index` ON `users` (`inactive_until`) WHERE inactive_until is not null;--> statement-breakpoint
CREATE INDEX `users_created_at_index` ON `users` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `mails_created_at_index` ON `mails` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `mails_state_created_at_index` ON `mails` (`state`,`created_at`,`id`);