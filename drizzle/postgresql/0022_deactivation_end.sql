ALTER TABLE "users" ADD COLUMN "inactive_until" bigint;--> statement-breakpoint
CREATE INDEX "users_inactive_until_index" ON "users" USING btree ("inactive_until") WHERE inactive_until is not null;