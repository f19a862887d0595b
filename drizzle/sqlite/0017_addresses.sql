CREATE TABLE `reserved_addresses` (
	`email_key` text PRIMARY KEY NOT NULL,
	`email` text NOT NULL,
	`user_id` integer NOT NULL,
	`epoch` integer NOT NULL,
	`reserved_until` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `reserved_addresses_user_id_index` ON `reserved_addresses` (`user_id`);--> statement-breakpoint
CREATE INDEX `reserved_addresses_reserved_until_index` ON `reserved_addresses` (`reserved_until`);