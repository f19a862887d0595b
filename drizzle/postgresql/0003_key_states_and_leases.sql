CREATE TABLE "leases" (
	"name" text PRIMARY KEY NOT NULL,
	"holder" text NOT NULL,
	"expires_at" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "signing_keys" ADD COLUMN "next_slot" text;--> statement-breakpoint
ALTER TABLE "signing_keys" ADD COLUMN "activated_at" bigint;--> statement-breakpoint
ALTER TABLE "signing_keys" ADD COLUMN "retired_at" bigint;--> statement-breakpoint
ALTER TABLE "signing_keys" ADD COLUMN "expires_at" bigint;--> statement-breakpoint
ALTER TABLE "signing_keys" ADD COLUMN "revoked_at" bigint;--> statement-breakpoint
ALTER TABLE "signing_keys" ADD COLUMN "longest_token" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "signing_keys_next_slot_unique" ON "signing_keys" USING btree ("next_slot");--> statement-breakpoint
DELETE FROM signing_keys WHERE kid <> (SELECT kid FROM signing_keys ORDER BY created_at DESC, kid LIMIT 1);--> statement-breakpoint
UPDATE signing_keys SET active_slot = 'active', activated_at = created_at;
