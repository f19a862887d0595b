ALTER TABLE "reserved_names" ADD COLUMN "user_id" bigint;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "name" text;--> statement-breakpoint
CREATE INDEX "reserved_names_user_id_index" ON "reserved_names" USING btree ("user_id");