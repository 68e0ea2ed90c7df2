-- From schema 1 (version 0.1) to 2: who is who, and the place of a receipt in the feed.
CREATE TABLE link (
    seq INTEGER PRIMARY KEY, person BLOB NOT NULL, link BLOB NOT NULL, other BLOB NOT NULL, sealed BLOB NOT NULL
);
CREATE UNIQUE INDEX link_person ON link (person, link);
CREATE INDEX link_other ON link (other);
ALTER TABLE receipt ADD COLUMN seq INTEGER;
CREATE INDEX receipt_seq ON receipt (seq) WHERE seq IS NOT NULL;
PRAGMA user_version = 2;
