CREATE TABLE "limits" (
	"key" text PRIMARY KEY NOT NULL,
	"full_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "limits_full_at_index" ON "limits" USING btree ("full_at");