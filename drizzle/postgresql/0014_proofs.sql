CREATE TABLE "proofs" (
	"id" text PRIMARY KEY NOT NULL,
	"purpose" text NOT NULL,
	"user_id" bigint,
	"subject" text,
	"address_key" text NOT NULL,
	"epoch" bigint,
	"token_mac" text,
	"code_mac" text,
	"code_until" bigint,
	"tries" bigint NOT NULL,
	"expires_at" bigint NOT NULL,
	"created_at" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "mails" ADD COLUMN "sealed" text;--> statement-breakpoint
ALTER TABLE "mails" ADD COLUMN "sealed_until" bigint;--> statement-breakpoint
ALTER TABLE "proofs" ADD CONSTRAINT "proofs_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "proofs_token_mac_unique" ON "proofs" USING btree ("token_mac");--> statement-breakpoint
CREATE INDEX "proofs_user_id_purpose_index" ON "proofs" USING btree ("user_id","purpose");--> statement-breakpoint
CREATE INDEX "proofs_subject_index" ON "proofs" USING btree ("subject");--> statement-breakpoint
CREATE INDEX "proofs_expires_at_index" ON "proofs" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "mails_sealed_until_index" ON "mails" USING btree ("sealed_until");