-- tombstones.db: who was forgotten, as keyed hashes. Never restored from a backup: it tells a restored data.db whom to forget again.

CREATE TABLE tombstone (number INTEGER PRIMARY KEY, person BLOB NOT NULL, at INTEGER NOT NULL);
CREATE INDEX tombstone_person ON tombstone (person);

PRAGMA user_version = 1;
