DROP INDEX `sessions_user_id_index`;--> statement-breakpoint
DROP INDEX `sessions_expires_at_index`;--> statement-breakpoint
DROP INDEX `sessions_ended_at_index`;--> statement-breakpoint
ALTER TABLE `sessions` ADD `review_at` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `sessions_user_id_ended_at_index` ON `sessions` (`user_id`,`ended_at`);--> statement-breakpoint
CREATE INDEX `sessions_review_at_index` ON `sessions` (`review_at`);