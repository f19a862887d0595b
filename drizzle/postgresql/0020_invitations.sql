CREATE TABLE "first_admin_links" (
	"slot" text PRIMARY KEY NOT NULL,
	"subject" text NOT NULL,
	"email" text NOT NULL,
	"email_key" text NOT NULL,
	"sealed" text,
	"created_at" bigint NOT NULL,
	"expires_at" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "invited_at" bigint;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "invited_by" bigint;