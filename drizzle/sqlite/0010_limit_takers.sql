ALTER TABLE `limits` ADD `taken_at` integer;--> statement-breakpoint
ALTER TABLE `limits` ADD `taken_by` text;--> statement-breakpoint
ALTER TABLE `limits` ADD `others_took_at` integer;