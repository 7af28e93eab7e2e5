-- A unit is a code out of the unit directory; its name is looked up when it is shown.
ALTER TABLE case_file ADD COLUMN unit_code INTEGER NOT NULL DEFAULT 0;
ALTER TABLE case_file DROP COLUMN unit;
