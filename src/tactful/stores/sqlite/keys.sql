-- keys.db: one data key per person and entry, wrapped by the master key. Back it up apart from data.db, and for a shorter time.

-- Counters: tombstone (last one that this copy has carried out), made (keys ever made).
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('tombstone', 0), ('made', 0);

-- A keyed hash by which a wrong master key is found out before anything is written with it.
CREATE TABLE master (proof BLOB NOT NULL);

CREATE TABLE key (
    person BLOB NOT NULL, entry TEXT NOT NULL, wrapped BLOB NOT NULL, PRIMARY KEY (person, entry)
) WITHOUT ROWID;

PRAGMA user_version = 1;
