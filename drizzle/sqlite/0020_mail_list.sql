CREATE INDEX `mails_created_at_index` ON `mails` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `mails_state_created_at_index` ON `mails` (`state`,`created_at`,`id`);