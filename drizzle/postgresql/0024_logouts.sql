DROP INDEX "logout_deliveries_next_at_index";--> statement-breakpoint
ALTER TABLE "logout_deliveries" ALTER COLUMN "next_at" SET NOT NULL;--> statement-breakpoint
CREATE INDEX "logout_deliveries_client_id_next_at_index" ON "logout_deliveries" USING btree ("client_id","next_at");--> statement-breakpoint
ALTER TABLE "logout_deliveries" DROP COLUMN "uri";--> statement-breakpoint
ALTER TABLE "logout_deliveries" DROP COLUMN "done_at";