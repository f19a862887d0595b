CREATE TABLE "data_keys" (
	"id" text PRIMARY KEY NOT NULL,
	"purpose" text NOT NULL,
	"current_slot" text,
	"sealed_key" text NOT NULL,
	"created_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "processes" (
	"id" text PRIMARY KEY NOT NULL,
	"secret_id" text NOT NULL,
	"opens" text NOT NULL,
	"started_at" bigint NOT NULL,
	"expires_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "reserved_names" (
	"mac" text PRIMARY KEY NOT NULL,
	"reserved_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX "data_keys_current_slot_unique" ON "data_keys" USING btree ("current_slot");