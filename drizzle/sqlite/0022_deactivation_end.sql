ALTER TABLE `users` ADD `inactive_until` integer;--> statement-breakpoint
CREATE INDEX `users_inactive_until_index` ON `users` (`inactive_until`) WHERE inactive_until is not null;