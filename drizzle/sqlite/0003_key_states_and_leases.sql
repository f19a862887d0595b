CREATE TABLE `leases` (
	`name` text PRIMARY KEY NOT NULL,
	`holder` text NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE `signing_keys` ADD `next_slot` text;--> statement-breakpoint
ALTER TABLE `signing_keys` ADD `activated_at` integer;--> statement-breakpoint
ALTER TABLE `signing_keys` ADD `retired_at` integer;--> statement-breakpoint
ALTER TABLE `signing_keys` ADD `expires_at` integer;--> statement-breakpoint
ALTER TABLE `signing_keys` ADD `revoked_at` integer;--> statement-breakpoint
ALTER TABLE `signing_keys` ADD `longest_token` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `signing_keys_next_slot_unique` ON `signing_keys` (`next_slot`);--> statement-breakpoint
DELETE FROM signing_keys WHERE kid <> (SELECT kid FROM signing_keys ORDER BY created_at DESC, kid LIMIT 1);--> statement-breakpoint
UPDATE signing_keys SET active_slot = 'active', activated_at = created_at;
