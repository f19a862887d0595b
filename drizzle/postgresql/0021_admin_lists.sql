ALTER TABLE "users" ADD COLUMN "inactive_until" bigint;--> statement-breakpoint
CREATE INDEX "mails_created_at_index" ON "mails" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "mails_state_created_at_index" ON "mails" USING btree ("state","created_at","id");--> statement-breakpoint
CREATE INDEX "users_inactive_until_index" ON "users" USING btree ("inactive_until") WHERE inactive_until is not null;--> statement-breakpoint
CREATE INDEX "users_created_at_index" ON "users" USING btree ("created_at","id");