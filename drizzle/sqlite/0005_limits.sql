CREATE TABLE `limits` (
	`key` text PRIMARY KEY NOT NULL,
	`full_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `limits_full_at_index` ON `limits` (`full_at`);