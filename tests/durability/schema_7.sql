-- A file as schema version 7 had it, before there was full-text search: the statements of the first seven
-- steps of src/crm/migration.rs, and some hundred rows.
PRAGMA journal_mode = wal;
BEGIN;
CREATE TABLE store_settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE organizations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    folded TEXT NOT NULL
) STRICT;
CREATE INDEX organizations_by_name ON organizations (folded, id);
CREATE TABLE contacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    organization INTEGER REFERENCES organizations (id) ON DELETE SET NULL,
    role TEXT,
    email TEXT,
    notes TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX contacts_by_name ON contacts (folded, id);
CREATE INDEX contacts_by_organization ON contacts (organization);
CREATE TABLE contact_numbers (
    contact INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    label TEXT NOT NULL,
    raw TEXT NOT NULL,
    e164 TEXT,
    digits TEXT,
    reversed TEXT,
    address TEXT,
    internal INTEGER NOT NULL,
    PRIMARY KEY (contact, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_numbers_by_e164 ON contact_numbers (e164) WHERE e164 IS NOT NULL;
CREATE INDEX contact_numbers_by_digits ON contact_numbers (digits) WHERE digits IS NOT NULL;
CREATE INDEX contact_numbers_by_end ON contact_numbers (reversed) WHERE reversed IS NOT NULL;
CREATE INDEX contact_numbers_by_address ON contact_numbers (address) WHERE address IS NOT NULL;
CREATE TABLE calls (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    direction TEXT NOT NULL,
    state TEXT NOT NULL,
    remote TEXT NOT NULL,
    e164 TEXT,
    number TEXT,
    digits TEXT,
    reversed TEXT,
    remote_name TEXT,
    local TEXT NOT NULL,
    contact INTEGER REFERENCES contacts (id) ON DELETE SET NULL,
    contact_name TEXT,
    organization TEXT,
    level TEXT,
    match_reason TEXT,
    started_at INTEGER NOT NULL,
    answered_at INTEGER,
    ended_at INTEGER,
    waiting_millis INTEGER,
    talking_millis INTEGER,
    sip_status INTEGER,
    end_reason TEXT,
    sip_call_id TEXT,
    recording TEXT,
    notes TEXT NOT NULL DEFAULT '',
    done INTEGER NOT NULL
) STRICT;
CREATE INDEX calls_newest ON calls (started_at);
CREATE INDEX calls_by_direction ON calls (direction, started_at);
CREATE INDEX calls_missed ON calls (started_at)
    WHERE direction = 'inbound' AND answered_at IS NULL AND ended_at IS NOT NULL
    AND state NOT IN ('blocked', 'answered-elsewhere', 'forwarded');
CREATE INDEX calls_to_call_back ON calls (number, started_at)
    WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NOT NULL
    AND state NOT IN ('blocked', 'answered-elsewhere');
CREATE INDEX calls_by_number ON calls (number, started_at) WHERE number IS NOT NULL;
CREATE INDEX calls_by_contact ON calls (contact, started_at) WHERE contact IS NOT NULL;
CREATE INDEX calls_open ON calls (started_at) WHERE ended_at IS NULL;
CREATE TABLE call_links (
    call INTEGER NOT NULL REFERENCES calls (seq) ON DELETE CASCADE,
    contact INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    level TEXT NOT NULL,
    reason TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (call, contact)
) STRICT, WITHOUT ROWID;
CREATE INDEX call_links_by_contact ON call_links (contact, call);
CREATE TABLE number_choices (
    number TEXT PRIMARY KEY,
    contact INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX number_choices_by_contact ON number_choices (contact);

INSERT INTO store_settings VALUES ('region', 'DE');
INSERT INTO organizations
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
    SELECT i, 'Organization 7' || i, 'organization 7' || i FROM n;
INSERT INTO contacts
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
    SELECT i, 'Person ' || i, 'person ' || i, i % 40 + 1, NULL, 'person' || i || '@example.com', '' FROM n;
INSERT INTO contact_numbers
    SELECT id, 0, 'Work', printf('030%07d', id), printf('+4930%07d', id), printf('030%07d', id), NULL, NULL, 0
    FROM contacts;
INSERT INTO calls (id, direction, state, remote, e164, number, digits, local, contact, contact_name, started_at,
    ended_at, end_reason, done)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)
    SELECT printf('018bcfe5-6800-7000-8000-%012d', i), 'inbound', 'no-answer', printf('030%07d', i % 400),
        printf('+4930%07d', i % 400), printf('+4930%07d', i % 400), printf('030%07d', i % 400),
        'sip:alice@example.com', c.id, c.name, 1700000000000000 + i * 60000000, 1700000010000000 + i * 60000000,
        'nobody answered', i % 2
    FROM n LEFT JOIN contacts c ON c.id = i % 400;
INSERT INTO call_links SELECT seq, contact, 'known', 'same number in international form, "Work"', contact_name
    FROM calls WHERE contact IS NOT NULL;
PRAGMA user_version = 7;
PRAGMA application_id = 1380535879;
COMMIT;
