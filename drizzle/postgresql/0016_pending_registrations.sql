CREATE TABLE "pending_registrations" (
	"id" text PRIMARY KEY NOT NULL,
	"email" text NOT NULL,
	"email_key" text NOT NULL,
	"username" text NOT NULL,
	"username_key" text NOT NULL,
	"password_hash" text NOT NULL,
	"password_scheme" text NOT NULL,
	"name" text,
	"locale" text,
	"created_at" bigint NOT NULL,
	"expires_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "pending_registrations_email_key_index" ON "pending_registrations" USING btree ("email_key");--> statement-breakpoint
CREATE INDEX "pending_registrations_expires_at_index" ON "pending_registrations" USING btree ("expires_at");