CREATE TABLE "mails" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"user_id" bigint,
	"recipient" text NOT NULL,
	"locale" text NOT NULL,
	"details" text NOT NULL,
	"state" text NOT NULL,
	"attempts" bigint NOT NULL,
	"due_at" bigint NOT NULL,
	"created_at" bigint NOT NULL,
	"ended_at" bigint,
	"error" text
);
--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "locale" text;--> statement-breakpoint
CREATE INDEX "mails_state_due_at_index" ON "mails" USING btree ("state","due_at");--> statement-breakpoint
CREATE INDEX "mails_ended_at_index" ON "mails" USING btree ("ended_at");--> statement-breakpoint
CREATE INDEX "mails_user_id_index" ON "mails" USING btree ("user_id");