CREATE TABLE `write_probes` (
	`name` text PRIMARY KEY NOT NULL,
	`written_at` integer NOT NULL
);
