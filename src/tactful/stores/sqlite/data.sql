-- data.db: everything that is kept. Nothing here says in clear who it is about: `person` is a keyed hash, `sealed` is
-- AES-256-GCM under a key that lies in keys.db. Times are milliseconds since 1970.

-- Counters: seq (last number given to a record or a consent change), changed (last consent change or forgetting),
-- catalogue (version), tombstone (last one that this copy has carried out), keys (keys ever made when this was last written);
-- clock (ms since 1970, when something was last deleted for its age) comes with the first purge.
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('seq', 0), ('changed', 0), ('catalogue', 0), ('tombstone', 0), ('keys', 0);

-- One row per record: all events that came together for one person and data entry.
CREATE TABLE event (
    seq INTEGER PRIMARY KEY, person BLOB NOT NULL, data TEXT NOT NULL, keep_until INTEGER NOT NULL, sealed BLOB NOT NULL
);
CREATE INDEX event_person ON event (person, seq);
CREATE INDEX event_due ON event (keep_until);

-- Messages that a person already has: message is a keyed hash of person and event id.
CREATE TABLE seen (
    person BLOB NOT NULL, message BLOB NOT NULL, keep_until INTEGER NOT NULL, PRIMARY KEY (person, message)
) WITHOUT ROWID;

CREATE TABLE consent (seq INTEGER PRIMARY KEY, person BLOB NOT NULL, sealed BLOB NOT NULL);
CREATE INDEX consent_person ON consent (person, seq);

-- Who is who. Each link stands at both its names; link is a keyed hash of it, other the pseudonym at its other end (or its own).
CREATE TABLE link (
    seq INTEGER PRIMARY KEY, person BLOB NOT NULL, link BLOB NOT NULL, other BLOB NOT NULL, sealed BLOB NOT NULL
);
CREATE UNIQUE INDEX link_person ON link (person, link);
CREATE INDEX link_other ON link (other);

-- id is a hash of the receipt's id. person is NULL for people without consent; those open with the receipt's id alone.
-- seq is its place in the feed, where a receiver of decisions is declared.
CREATE TABLE receipt (
    id BLOB PRIMARY KEY, person BLOB, keep_until INTEGER NOT NULL, sealed BLOB NOT NULL, seq INTEGER
) WITHOUT ROWID;
CREATE INDEX receipt_seq ON receipt (seq) WHERE seq IS NOT NULL;
CREATE INDEX receipt_person ON receipt (person) WHERE person IS NOT NULL;
CREATE INDEX receipt_due ON receipt (keep_until);

-- What decisions leave for whoever runs the house. person is 16 zero bytes where the receipt names nobody. Numbers only grow.
CREATE TABLE note (
    number INTEGER PRIMARY KEY AUTOINCREMENT, person BLOB NOT NULL, keep_until INTEGER NOT NULL, sealed BLOB NOT NULL
);
CREATE INDEX note_person ON note (person);
CREATE INDEX note_due ON note (keep_until);

CREATE TABLE quarantine (
    number INTEGER PRIMARY KEY, person BLOB NOT NULL, keep_until INTEGER NOT NULL, sealed BLOB NOT NULL
);
CREATE INDEX quarantine_person ON quarantine (person);
CREATE INDEX quarantine_due ON quarantine (keep_until);

-- Items are not personal, so they are not sealed. Rows are dense from 0 and never reused.
CREATE TABLE item (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, packed BLOB NOT NULL
);
CREATE INDEX item_version ON item (version);

-- Keys that seal nothing any more and are still to be destroyed: written together with the deletion of the last row.
CREATE TABLE unused_key (person BLOB NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (person, entry)) WITHOUT ROWID;

PRAGMA user_version = 3;
