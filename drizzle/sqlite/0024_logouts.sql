CREATE TABLE `__new_logout_deliveries` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`client_id` text NOT NULL,
	`session_id` text NOT NULL,
	`user_id` integer NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`next_at` integer NOT NULL,
	`created_at` integer NOT NULL,
	`last_error` text
);
--> statement-breakpoint
INSERT INTO `__new_logout_deliveries`("id", "client_id", "session_id", "user_id", "attempts", "next_at", "created_at", "last_error") SELECT "id", "client_id", "session_id", "user_id", "attempts", "next_at", "created_at", "last_error" FROM `logout_deliveries`;--> statement-breakpoint
DROP TABLE `logout_deliveries`;--> statement-breakpoint
ALTER TABLE `__new_logout_deliveries` RENAME TO `logout_deliveries`;--> statement-breakpoint
CREATE INDEX `logout_deliveries_client_id_next_at_index` ON `logout_deliveries` (`client_id`,`next_at`);--> statement-breakpoint
CREATE INDEX `logout_deliveries_created_at_index` ON `logout_deliveries` (`created_at`);