CREATE TABLE "audit_erasures" (
	"user_id" bigint PRIMARY KEY NOT NULL,
	"next_id" bigint NOT NULL,
	"keep_until" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "late_retries" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "late_retried_at" bigint;--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "device_name" text;