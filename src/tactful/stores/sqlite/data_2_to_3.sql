-- From schema 2 to 3: what decisions leave for whoever runs the house.
CREATE TABLE note (
    number INTEGER PRIMARY KEY AUTOINCREMENT, person BLOB NOT NULL, keep_until INTEGER NOT NULL, sealed BLOB NOT NULL
);
CREATE INDEX note_person ON note (person);
CREATE INDEX note_due ON note (keep_until);
PRAGMA user_version = 3;
