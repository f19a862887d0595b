ALTER TABLE `reserved_names` ADD `user_id` integer;--> statement-breakpoint
CREATE INDEX `reserved_names_user_id_index` ON `reserved_names` (`user_id`);--> statement-breakpoint
ALTER TABLE `users` ADD `name` text;