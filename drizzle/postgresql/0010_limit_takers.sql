ALTER TABLE "limits" ADD COLUMN "taken_at" bigint;--> statement-breakpoint
ALTER TABLE "limits" ADD COLUMN "taken_by" text;--> statement-breakpoint
ALTER TABLE "limits" ADD COLUMN "others_took_at" bigint;