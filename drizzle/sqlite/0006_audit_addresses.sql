ALTER TABLE `audit_events` ADD `ip_whole_since` integer;--> statement-breakpoint
CREATE INDEX `audit_events_ip_whole_since_index` ON `audit_events` (`ip_whole_since`);