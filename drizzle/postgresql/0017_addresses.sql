CREATE TABLE "reserved_addresses" (
	"email_key" text PRIMARY KEY NOT NULL,
	"email" text NOT NULL,
	"user_id" bigint NOT NULL,
	"epoch" bigint NOT NULL,
	"reserved_until" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "reserved_addresses" ADD CONSTRAINT "reserved_addresses_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "reserved_addresses_user_id_index" ON "reserved_addresses" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "reserved_addresses_reserved_until_index" ON "reserved_addresses" USING btree ("reserved_until");