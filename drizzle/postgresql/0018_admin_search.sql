ALTER TABLE "users" ALTER COLUMN "email_key" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
ALTER TABLE "users" ALTER COLUMN "username_key" SET DATA TYPE text COLLATE "C";--> statement-breakpoint
CREATE INDEX "users_inactive_index" ON "users" USING btree ("id") WHERE not is_active;