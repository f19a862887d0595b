-- The two roles that exist from the start. What "admin" holds stands in the program: every permission.
INSERT INTO roles (name, description, permissions, created_at) VALUES ('user', 'What every account is', '', 0);
--> statement-breakpoint
INSERT INTO roles (name, description, permissions, created_at) VALUES ('admin', 'Holds every permission', '', 0);
