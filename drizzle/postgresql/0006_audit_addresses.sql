ALTER TABLE "audit_events" ADD COLUMN "ip_whole_since" bigint;--> statement-breakpoint
CREATE INDEX "audit_events_ip_whole_since_index" ON "audit_events" USING btree ("ip_whole_since");