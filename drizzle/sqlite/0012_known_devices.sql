CREATE TABLE `devices` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` integer NOT NULL,
	`used_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `devices_user_id_index` ON `devices` (`user_id`);--> statement-breakpoint
ALTER TABLE `sessions` ADD `login_network` text;--> statement-breakpoint
ALTER TABLE `sessions` ADD `device_id` text;--> statement-breakpoint
UPDATE `sessions` SET `login_network` = `ip` WHERE `generation` = 0 AND `ip` NOT LIKE '%:%';