CREATE TABLE `trusted_devices` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` integer NOT NULL,
	`mac` text NOT NULL,
	`epoch` integer NOT NULL,
	`name` text NOT NULL,
	`ip` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `trusted_devices_mac_unique` ON `trusted_devices` (`mac`);--> statement-breakpoint
CREATE INDEX `trusted_devices_user_id_index` ON `trusted_devices` (`user_id`);--> statement-breakpoint
CREATE INDEX `trusted_devices_expires_at_index` ON `trusted_devices` (`expires_at`);