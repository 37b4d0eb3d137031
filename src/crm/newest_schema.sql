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
, stage TEXT) STRICT;

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
    internal INTEGER NOT NULL, extension TEXT, stem TEXT,
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
, via TEXT, number_proof TEXT, transferred_to TEXT, transferred_by TEXT, redirected_to TEXT, answered_by TEXT, quality TEXT, sound_problem TEXT, recording_gaps TEXT, call_type INTEGER REFERENCES call_types (id) ON DELETE SET NULL, wrap_up_millis INTEGER, agent TEXT, queue TEXT, by_hand INTEGER NOT NULL DEFAULT 0, organization_id INTEGER
    REFERENCES organizations (id) ON DELETE SET NULL, recording_start_seconds INTEGER) STRICT;

CREATE INDEX calls_newest ON calls (started_at);

CREATE INDEX calls_by_direction ON calls (direction, started_at);

CREATE INDEX calls_to_call_back ON calls (number, started_at)
    WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NOT NULL
    AND state NOT IN ('blocked', 'answered-elsewhere');

CREATE INDEX calls_by_number ON calls (number, started_at) WHERE number IS NOT NULL;

CREATE INDEX calls_by_contact ON calls (contact, started_at) WHERE contact IS NOT NULL;

CREATE INDEX calls_open ON calls (started_at) WHERE ended_at IS NULL;

CREATE TRIGGER calls_words_insert AFTER INSERT ON calls BEGIN
    INSERT INTO call_words (rowid, name, organization, numbers, reversed)
    VALUES (new.seq, coalesce(new.contact_name, '') || ' ' || coalesce(new.remote_name, '') || ' '
        || iif(new.e164 IS NULL, new.remote, ''), coalesce(new.organization, ''),
        coalesce(substr(new.e164, 2), '') || ' ' || coalesce(new.digits || ' ' || ltrim(new.digits, '0'), ''),
        coalesce(new.reversed, ''));
END;

CREATE TRIGGER calls_words_update AFTER UPDATE OF contact_name, organization ON calls
WHEN old.contact_name IS NOT new.contact_name OR old.organization IS NOT new.organization BEGIN
    DELETE FROM call_words WHERE rowid = old.seq;
    INSERT INTO call_words (rowid, name, organization, numbers, reversed)
    VALUES (new.seq, coalesce(new.contact_name, '') || ' ' || coalesce(new.remote_name, '') || ' '
        || iif(new.e164 IS NULL, new.remote, ''), coalesce(new.organization, ''),
        coalesce(substr(new.e164, 2), '') || ' ' || coalesce(new.digits || ' ' || ltrim(new.digits, '0'), ''),
        coalesce(new.reversed, ''));
END;

CREATE TRIGGER calls_words_delete AFTER DELETE ON calls BEGIN
    DELETE FROM call_words WHERE rowid = old.seq;
END;

CREATE TABLE refused (
    minute INTEGER NOT NULL,
    source TEXT NOT NULL,
    why TEXT NOT NULL,
    requests INTEGER NOT NULL,
    PRIMARY KEY (minute, source, why)
) STRICT, WITHOUT ROWID;

CREATE TABLE call_ladders (
    call INTEGER NOT NULL REFERENCES calls (seq) ON DELETE CASCADE,
    part INTEGER NOT NULL,
    saved_at INTEGER NOT NULL,
    octets INTEGER NOT NULL,
    messages TEXT NOT NULL,
    PRIMARY KEY (call, part)
) STRICT;

CREATE INDEX call_ladders_by_age ON call_ladders (call, saved_at, octets);

CREATE TABLE arrivals (
    seq INTEGER PRIMARY KEY,
    call TEXT NOT NULL
) STRICT;

CREATE TABLE call_quality (
    call INTEGER PRIMARY KEY REFERENCES calls (seq) ON DELETE CASCADE,
    octets INTEGER NOT NULL,
    spans TEXT NOT NULL
) STRICT;

CREATE INDEX call_quality_by_size ON call_quality (call, octets);

CREATE INDEX contacts_that_are_leads ON contacts (folded, id) WHERE stage IS NOT NULL;

CREATE TABLE memberships (
    contact INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    organization INTEGER NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    role TEXT,
    PRIMARY KEY (contact, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX memberships_by_organization ON memberships (organization, contact);

CREATE TABLE organization_numbers (
    organization INTEGER NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    label TEXT NOT NULL,
    raw TEXT NOT NULL,
    e164 TEXT,
    digits TEXT,
    reversed TEXT,
    address TEXT,
    internal INTEGER NOT NULL, extension TEXT, stem TEXT,
    PRIMARY KEY (organization, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX organization_numbers_by_e164 ON organization_numbers (e164) WHERE e164 IS NOT NULL;

CREATE INDEX organization_numbers_by_digits ON organization_numbers (digits) WHERE digits IS NOT NULL;

CREATE INDEX organization_numbers_by_end ON organization_numbers (reversed) WHERE reversed IS NOT NULL;

CREATE INDEX organization_numbers_by_address ON organization_numbers (address) WHERE address IS NOT NULL;

CREATE TABLE number_choices (
    number TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX number_choices_by_subject ON number_choices (kind, subject);

CREATE TRIGGER contacts_number_choices AFTER DELETE ON contacts BEGIN
    DELETE FROM number_choices WHERE kind = 'contact' AND subject = old.id;
END;

CREATE TRIGGER organizations_number_choices AFTER DELETE ON organizations BEGIN
    DELETE FROM number_choices WHERE kind = 'organization' AND subject = old.id;
END;

CREATE TABLE call_types (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    active INTEGER NOT NULL,
    place INTEGER NOT NULL
) STRICT;

CREATE INDEX calls_by_organization ON calls (organization_id, started_at)
    WHERE organization_id IS NOT NULL;

CREATE INDEX calls_by_type ON calls (call_type, started_at) WHERE call_type IS NOT NULL;

CREATE INDEX calls_by_queue ON calls (queue, started_at) WHERE queue IS NOT NULL;

CREATE TABLE call_backs (
    missed INTEGER NOT NULL REFERENCES calls (seq) ON DELETE CASCADE,
    call INTEGER NOT NULL REFERENCES calls (seq) ON DELETE CASCADE,
    PRIMARY KEY (missed, call)
) STRICT, WITHOUT ROWID;

CREATE INDEX call_backs_by_call ON call_backs (call);

CREATE TABLE tickets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    state TEXT NOT NULL,
    contact INTEGER REFERENCES contacts (id) ON DELETE SET NULL,
    organization INTEGER REFERENCES organizations (id) ON DELETE SET NULL,
    agent TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    closed_at INTEGER
) STRICT;

CREATE INDEX tickets_newest ON tickets (updated_at);

CREATE INDEX tickets_not_closed ON tickets (updated_at) WHERE state <> 'closed';

CREATE INDEX tickets_by_contact ON tickets (contact, updated_at) WHERE contact IS NOT NULL;

CREATE INDEX tickets_by_organization ON tickets (organization, updated_at)
    WHERE organization IS NOT NULL;

CREATE TABLE ticket_articles (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket INTEGER NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    sender TEXT NOT NULL,
    internal INTEGER NOT NULL,
    author TEXT NOT NULL,
    body TEXT NOT NULL,
    call INTEGER REFERENCES calls (seq) ON DELETE SET NULL
, wrap_up INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE INDEX ticket_articles_by_ticket ON ticket_articles (ticket, id);

CREATE INDEX ticket_articles_by_call ON ticket_articles (call) WHERE call IS NOT NULL;

CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    subject INTEGER NOT NULL,
    at INTEGER NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;

CREATE INDEX notes_by_subject ON notes (kind, subject, at);

CREATE TRIGGER contacts_notes AFTER DELETE ON contacts BEGIN
    DELETE FROM notes WHERE kind = 'contact' AND subject = old.id;
END;

CREATE TRIGGER organizations_notes AFTER DELETE ON organizations BEGIN
    DELETE FROM notes WHERE kind = 'organization' AND subject = old.id;
END;

CREATE TRIGGER tickets_notes AFTER DELETE ON tickets BEGIN
    DELETE FROM notes WHERE kind = 'ticket' AND subject = old.id;
END;

CREATE TRIGGER notes_words_insert AFTER INSERT ON notes BEGIN
    INSERT INTO note_words (rowid, text) VALUES (new.id, new.text);
END;

CREATE TRIGGER notes_words_update AFTER UPDATE OF text ON notes BEGIN
    DELETE FROM note_words WHERE rowid = old.id;
    INSERT INTO note_words (rowid, text) VALUES (new.id, new.text);
END;

CREATE TRIGGER notes_words_delete AFTER DELETE ON notes BEGIN
    DELETE FROM note_words WHERE rowid = old.id;
END;

CREATE TRIGGER calls_notes_insert AFTER INSERT ON calls WHEN new.notes <> '' BEGIN
    INSERT INTO call_note_words (rowid, text) VALUES (new.seq, new.notes);
END;

CREATE TRIGGER calls_notes_update AFTER UPDATE OF notes ON calls WHEN old.notes <> new.notes BEGIN
    DELETE FROM call_note_words WHERE rowid = old.seq;
    INSERT INTO call_note_words (rowid, text) SELECT new.seq, new.notes WHERE new.notes <> '';
END;

CREATE TRIGGER calls_notes_delete AFTER DELETE ON calls WHEN old.notes <> '' BEGIN
    DELETE FROM call_note_words WHERE rowid = old.seq;
END;

CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    task_kind TEXT NOT NULL,
    title TEXT NOT NULL,
    notes TEXT NOT NULL,
    due_at INTEGER,
    kind TEXT,
    subject INTEGER,
    call INTEGER REFERENCES calls (seq) ON DELETE SET NULL,
    number TEXT,
    agent TEXT,
    created_at INTEGER NOT NULL,
    done_at INTEGER
, origin TEXT) STRICT;

CREATE INDEX tasks_to_do ON tasks (due_at) WHERE done_at IS NULL;

CREATE INDEX tasks_by_subject ON tasks (kind, subject, created_at) WHERE kind IS NOT NULL;

CREATE INDEX tasks_by_call ON tasks (call) WHERE call IS NOT NULL;

CREATE TRIGGER contacts_tasks AFTER DELETE ON contacts BEGIN
    UPDATE tasks SET kind = NULL, subject = NULL WHERE kind = 'contact' AND subject = old.id;
END;

CREATE TRIGGER organizations_tasks AFTER DELETE ON organizations BEGIN
    UPDATE tasks SET kind = NULL, subject = NULL WHERE kind = 'organization' AND subject = old.id;
END;

CREATE TRIGGER tickets_tasks AFTER DELETE ON tickets BEGIN
    UPDATE tasks SET kind = NULL, subject = NULL WHERE kind = 'ticket' AND subject = old.id;
END;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    agent TEXT NOT NULL,
    what TEXT NOT NULL,
    kind TEXT,
    subject INTEGER,
    detail TEXT NOT NULL
) STRICT;

CREATE INDEX audit_by_subject ON audit (kind, subject, id) WHERE kind IS NOT NULL;

CREATE TABLE undo_steps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    label TEXT NOT NULL,
    step TEXT NOT NULL,
    undone_at INTEGER
) STRICT;

CREATE INDEX calls_by_agent ON calls (agent, started_at) WHERE agent IS NOT NULL;

CREATE INDEX calls_with_recording ON calls (started_at) WHERE recording IS NOT NULL;

CREATE INDEX calls_by_state ON calls (state, started_at);

CREATE INDEX contact_numbers_by_stem ON contact_numbers (stem) WHERE stem IS NOT NULL;

CREATE INDEX organization_numbers_by_stem ON organization_numbers (stem) WHERE stem IS NOT NULL;

CREATE TABLE number_hints (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number TEXT NOT NULL,
    digits TEXT NOT NULL,
    raw TEXT NOT NULL,
    fax INTEGER NOT NULL,
    signature INTEGER NOT NULL,
    contact INTEGER REFERENCES contacts (id) ON DELETE CASCADE,
    name TEXT,
    email TEXT NOT NULL,
    source TEXT NOT NULL,
    source_id TEXT NOT NULL,
    source_text TEXT NOT NULL,
    said_at INTEGER NOT NULL,
    found_at INTEGER NOT NULL
) STRICT;

CREATE INDEX number_hints_by_number ON number_hints (number, said_at);

CREATE INDEX number_hints_by_digits ON number_hints (digits, said_at);

CREATE INDEX number_hints_by_source ON number_hints (source, source_id);

CREATE INDEX number_hints_by_contact ON number_hints (contact);

CREATE INDEX number_hints_by_email ON number_hints (email) WHERE contact IS NULL;

CREATE TRIGGER notes_hints AFTER DELETE ON notes BEGIN
    DELETE FROM number_hints WHERE source = 'note' AND source_id = CAST(old.id AS TEXT);
END;

CREATE TRIGGER ticket_articles_hints AFTER DELETE ON ticket_articles BEGIN
    DELETE FROM number_hints WHERE source = 'ticket' AND source_id = CAST(old.id AS TEXT);
END;

CREATE TRIGGER calls_hints AFTER DELETE ON calls WHEN old.notes <> '' BEGIN
    DELETE FROM number_hints WHERE source = 'call' AND source_id = old.id;
END;

CREATE INDEX contacts_by_email ON contacts (lower(email)) WHERE email IS NOT NULL;

CREATE TABLE hint_verdicts (
    number TEXT NOT NULL,
    contact INTEGER REFERENCES contacts (id) ON DELETE CASCADE,
    email TEXT NOT NULL,
    assigned INTEGER REFERENCES contacts (id) ON DELETE CASCADE,
    decided_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX hint_verdicts_by_person ON hint_verdicts (number, ifnull(contact, 0), email);

CREATE INDEX hint_verdicts_by_contact ON hint_verdicts (contact);

CREATE INDEX hint_verdicts_by_assigned ON hint_verdicts (assigned);

CREATE TABLE contact_uids (
    uid TEXT PRIMARY KEY,
    contact INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX contact_uids_by_contact ON contact_uids (contact, uid);

CREATE TABLE imports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE import_rows (
    import INTEGER NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    contact INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    before TEXT,
    relinking TEXT,
    PRIMARY KEY (import, contact)
) STRICT, WITHOUT ROWID;

CREATE TABLE import_organizations (
    import INTEGER NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    organization INTEGER NOT NULL,
    PRIMARY KEY (import, organization)
) STRICT, WITHOUT ROWID;

CREATE TABLE files_to_remove (
    seq INTEGER PRIMARY KEY,
    call TEXT NOT NULL,
    file TEXT
) STRICT;

CREATE TABLE database_copies (
    file TEXT PRIMARY KEY,
    made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE erasures (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    calls_removed INTEGER NOT NULL,
    contact INTEGER,
    salt TEXT NOT NULL,
    known_by TEXT NOT NULL,
    tables TEXT NOT NULL,
    recordings INTEGER NOT NULL
) STRICT;

CREATE TABLE agents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    login TEXT NOT NULL,
    active INTEGER NOT NULL,
    panel INTEGER NOT NULL
) STRICT;

CREATE TABLE agent_numbers (
    agent INTEGER NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    raw TEXT NOT NULL,
    number TEXT,
    PRIMARY KEY (agent, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX agent_numbers_by_number ON agent_numbers (number) WHERE number IS NOT NULL;

CREATE TABLE agent_groups (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE agent_group_members (
    agent_group INTEGER NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
    agent INTEGER NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    PRIMARY KEY (agent_group, agent)
) STRICT, WITHOUT ROWID;

CREATE INDEX agent_group_members_by_agent ON agent_group_members (agent);

CREATE TABLE queues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    medium TEXT NOT NULL,
    zone TEXT NOT NULL,
    pause_code TEXT NOT NULL,
    unpause_code TEXT NOT NULL
, script TEXT NOT NULL DEFAULT '', page TEXT NOT NULL DEFAULT '') STRICT;

CREATE TABLE queue_numbers (
    queue INTEGER NOT NULL REFERENCES queues (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    raw TEXT NOT NULL,
    number TEXT,
    pattern TEXT,
    PRIMARY KEY (queue, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX queue_numbers_by_number ON queue_numbers (number) WHERE number IS NOT NULL;

CREATE INDEX queue_numbers_by_pattern ON queue_numbers (pattern) WHERE pattern IS NOT NULL;

CREATE TABLE time_slots (
    queue INTEGER NOT NULL REFERENCES queues (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    day TEXT NOT NULL,
    begins INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    agent_group INTEGER NOT NULL REFERENCES agent_groups (id),
    PRIMARY KEY (queue, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX time_slots_by_group ON time_slots (agent_group);

CREATE TABLE holidays (
    date TEXT NOT NULL,
    queue INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (date, queue)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER holidays_of_queue AFTER DELETE ON queues BEGIN
    DELETE FROM holidays WHERE queue = old.id;
END;

CREATE TABLE blocked (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    number TEXT NOT NULL,
    status INTEGER NOT NULL,
    note TEXT NOT NULL,
    since INTEGER NOT NULL,
    hits INTEGER NOT NULL DEFAULT 0,
    last_hit INTEGER
) STRICT;

CREATE UNIQUE INDEX blocked_by_key ON blocked (kind, key);

CREATE TABLE call_popups (
    call INTEGER PRIMARY KEY REFERENCES calls (seq) ON DELETE CASCADE,
    shown INTEGER NOT NULL,
    nobody_scheduled INTEGER NOT NULL,
    decision TEXT NOT NULL
) STRICT;

CREATE TABLE agent_states (
    id INTEGER PRIMARY KEY,
    agent INTEGER REFERENCES agents (id) ON DELETE SET NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;

CREATE INDEX agent_states_by_time ON agent_states (began_at);

CREATE INDEX agent_states_open ON agent_states (id) WHERE ended_at IS NULL;

CREATE INDEX agent_states_by_agent ON agent_states (agent) WHERE agent IS NOT NULL;

CREATE TABLE row_counts (
    list TEXT PRIMARY KEY,
    row_count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER contacts_count_insert AFTER INSERT ON contacts BEGIN
    UPDATE row_counts SET row_count = row_count + 1
    WHERE list IN ('contacts', iif(new.stage IS NULL, '', 'leads'));
END;

CREATE TRIGGER contacts_count_delete AFTER DELETE ON contacts BEGIN
    UPDATE row_counts SET row_count = row_count - 1
    WHERE list IN ('contacts', iif(old.stage IS NULL, '', 'leads'));
END;

CREATE TRIGGER contacts_count_update AFTER UPDATE OF stage ON contacts
WHEN (old.stage IS NULL) <> (new.stage IS NULL) BEGIN
    UPDATE row_counts SET row_count = row_count + (old.stage IS NULL) - (new.stage IS NULL)
    WHERE list = 'leads';
END;

CREATE TRIGGER calls_waiting_insert AFTER INSERT ON calls
WHEN new.direction = 'inbound' AND new.done = 0 AND new.ended_at IS NOT NULL
    AND new.number IS NOT NULL AND new.state NOT IN ('blocked', 'answered-elsewhere') BEGIN
    UPDATE row_counts SET row_count = row_count + 1 WHERE list = 'to-call-back' AND NOT EXISTS (
        SELECT 1 FROM calls INDEXED BY calls_to_call_back
        WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NOT NULL
        AND state NOT IN ('blocked', 'answered-elsewhere') AND number = new.number AND seq <> new.seq);
END;

CREATE TRIGGER calls_waiting_delete AFTER DELETE ON calls
WHEN old.direction = 'inbound' AND old.done = 0 AND old.ended_at IS NOT NULL
    AND old.number IS NOT NULL AND old.state NOT IN ('blocked', 'answered-elsewhere') BEGIN
    UPDATE row_counts SET row_count = row_count - 1 WHERE list = 'to-call-back' AND NOT EXISTS (
        SELECT 1 FROM calls INDEXED BY calls_to_call_back
        WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NOT NULL
        AND state NOT IN ('blocked', 'answered-elsewhere') AND number = old.number);
END;

CREATE TRIGGER calls_waiting_update AFTER UPDATE OF state, ended_at, done, number ON calls
WHEN new.direction = 'inbound' AND (new.number IS NOT old.number
    OR (new.done = 0 AND new.ended_at IS NOT NULL
        AND new.state NOT IN ('blocked', 'answered-elsewhere'))
    <> (old.done = 0 AND old.ended_at IS NOT NULL
        AND old.state NOT IN ('blocked', 'answered-elsewhere'))) BEGIN
    UPDATE row_counts SET row_count = row_count - 1 WHERE list = 'to-call-back'
    AND old.done = 0 AND old.ended_at IS NOT NULL AND old.number IS NOT NULL
    AND old.state NOT IN ('blocked', 'answered-elsewhere') AND NOT EXISTS (
        SELECT 1 FROM calls INDEXED BY calls_to_call_back
        WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NOT NULL
        AND state NOT IN ('blocked', 'answered-elsewhere') AND number = old.number AND seq <> old.seq);
    UPDATE row_counts SET row_count = row_count + 1 WHERE list = 'to-call-back'
    AND new.done = 0 AND new.ended_at IS NOT NULL AND new.number IS NOT NULL
    AND new.state NOT IN ('blocked', 'answered-elsewhere') AND NOT EXISTS (
        SELECT 1 FROM calls INDEXED BY calls_to_call_back
        WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NOT NULL
        AND state NOT IN ('blocked', 'answered-elsewhere') AND number = new.number AND seq <> new.seq);
END;

CREATE INDEX calls_waiting ON calls (started_at)
    WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NOT NULL
    AND state NOT IN ('blocked', 'answered-elsewhere');

CREATE VIRTUAL TABLE contact_words USING fts5 (
    name, organization, numbers, reversed,
    content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3 4 5 6 7'
);

CREATE VIRTUAL TABLE call_words USING fts5 (
    name, organization, numbers, reversed,
    content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3 4 5 6 7'
);

CREATE TABLE different_people (
    first INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    second INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    PRIMARY KEY (first, second)
) STRICT, WITHOUT ROWID;

CREATE INDEX different_people_by_second ON different_people (second);

CREATE INDEX tasks_to_remind ON tasks (call) WHERE origin = 'call-back' AND done_at IS NULL;

CREATE INDEX calls_withheld ON calls (started_at)
    WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NULL
    AND state NOT IN ('blocked', 'answered-elsewhere');

CREATE TRIGGER contacts_note_words_insert AFTER INSERT ON contacts WHEN new.notes <> '' BEGIN
    INSERT INTO contact_note_words (rowid, text) VALUES (new.id, new.notes);
END;

CREATE TRIGGER contacts_note_words_update AFTER UPDATE OF notes ON contacts
WHEN old.notes <> new.notes BEGIN
    DELETE FROM contact_note_words WHERE rowid = old.id;
    INSERT INTO contact_note_words (rowid, text) SELECT new.id, new.notes WHERE new.notes <> '';
END;

CREATE TRIGGER contacts_note_words_delete AFTER DELETE ON contacts WHEN old.notes <> '' BEGIN
    DELETE FROM contact_note_words WHERE rowid = old.id;
END;

CREATE VIRTUAL TABLE organization_words USING fts5 (
    name, organization, numbers, reversed,
    content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3 4 5 6 7'
);

CREATE TRIGGER organizations_words_insert AFTER INSERT ON organizations BEGIN
    DELETE FROM organization_words WHERE rowid = new.id;
    INSERT INTO organization_words (rowid, name, organization, numbers, reversed)
    SELECT o.id, o.name || coalesce((SELECT ' ' || group_concat(n.address, ' ')
            FROM organization_numbers n WHERE n.organization = o.id), ''), '',
        coalesce((SELECT group_concat(coalesce(substr(n.e164, 2), '') || ' '
            || coalesce(n.digits || ' ' || ltrim(n.digits, '0'), ''), ' ')
            FROM organization_numbers n WHERE n.organization = o.id), ''),
        coalesce((SELECT group_concat(n.reversed, ' ')
            FROM organization_numbers n WHERE n.organization = o.id), '')
    FROM organizations o
    WHERE o.id = new.id;
END;

CREATE TRIGGER organizations_words_update AFTER UPDATE OF name ON organizations BEGIN
    DELETE FROM organization_words WHERE rowid = new.id;
    INSERT INTO organization_words (rowid, name, organization, numbers, reversed)
    SELECT o.id, o.name || coalesce((SELECT ' ' || group_concat(n.address, ' ')
            FROM organization_numbers n WHERE n.organization = o.id), ''), '',
        coalesce((SELECT group_concat(coalesce(substr(n.e164, 2), '') || ' '
            || coalesce(n.digits || ' ' || ltrim(n.digits, '0'), ''), ' ')
            FROM organization_numbers n WHERE n.organization = o.id), ''),
        coalesce((SELECT group_concat(n.reversed, ' ')
            FROM organization_numbers n WHERE n.organization = o.id), '')
    FROM organizations o
    WHERE o.id = new.id;
END;

CREATE TRIGGER organizations_words_delete AFTER DELETE ON organizations BEGIN
    DELETE FROM organization_words WHERE rowid = old.id;
END;

CREATE TRIGGER organization_numbers_insert AFTER INSERT ON organization_numbers BEGIN
    DELETE FROM organization_words WHERE rowid = new.organization;
    INSERT INTO organization_words (rowid, name, organization, numbers, reversed)
    SELECT o.id, o.name || coalesce((SELECT ' ' || group_concat(n.address, ' ')
            FROM organization_numbers n WHERE n.organization = o.id), ''), '',
        coalesce((SELECT group_concat(coalesce(substr(n.e164, 2), '') || ' '
            || coalesce(n.digits || ' ' || ltrim(n.digits, '0'), ''), ' ')
            FROM organization_numbers n WHERE n.organization = o.id), ''),
        coalesce((SELECT group_concat(n.reversed, ' ')
            FROM organization_numbers n WHERE n.organization = o.id), '')
    FROM organizations o
    WHERE o.id = new.organization;
END;

CREATE TRIGGER organization_numbers_update AFTER UPDATE OF e164, digits, reversed, address ON organization_numbers BEGIN
    DELETE FROM organization_words WHERE rowid = new.organization;
    INSERT INTO organization_words (rowid, name, organization, numbers, reversed)
    SELECT o.id, o.name || coalesce((SELECT ' ' || group_concat(n.address, ' ')
            FROM organization_numbers n WHERE n.organization = o.id), ''), '',
        coalesce((SELECT group_concat(coalesce(substr(n.e164, 2), '') || ' '
            || coalesce(n.digits || ' ' || ltrim(n.digits, '0'), ''), ' ')
            FROM organization_numbers n WHERE n.organization = o.id), ''),
        coalesce((SELECT group_concat(n.reversed, ' ')
            FROM organization_numbers n WHERE n.organization = o.id), '')
    FROM organizations o
    WHERE o.id = new.organization;
END;

CREATE TRIGGER organization_numbers_delete AFTER DELETE ON organization_numbers BEGIN
    DELETE FROM organization_words WHERE rowid = old.organization;
    INSERT INTO organization_words (rowid, name, organization, numbers, reversed)
    SELECT o.id, o.name || coalesce((SELECT ' ' || group_concat(n.address, ' ')
            FROM organization_numbers n WHERE n.organization = o.id), ''), '',
        coalesce((SELECT group_concat(coalesce(substr(n.e164, 2), '') || ' '
            || coalesce(n.digits || ' ' || ltrim(n.digits, '0'), ''), ' ')
            FROM organization_numbers n WHERE n.organization = o.id), ''),
        coalesce((SELECT group_concat(n.reversed, ' ')
            FROM organization_numbers n WHERE n.organization = o.id), '')
    FROM organizations o
    WHERE o.id = old.organization;
END;

CREATE INDEX tasks_done ON tasks (id) WHERE done_at IS NOT NULL;

CREATE INDEX tickets_drafts ON tickets (updated_at) WHERE state = 'draft';

CREATE INDEX number_hints_newest ON number_hints (said_at);

CREATE INDEX calls_not_done ON calls (started_at) WHERE done = 0;

CREATE TABLE call_links (
    call INTEGER NOT NULL REFERENCES calls (seq) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    subject INTEGER NOT NULL,
    level TEXT NOT NULL,
    reason TEXT NOT NULL,
    name TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    PRIMARY KEY (call, kind, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX call_links_in_time ON call_links (kind, subject, started_at, call);

CREATE TRIGGER calls_links_time AFTER UPDATE OF started_at ON calls BEGIN
    UPDATE call_links SET started_at = new.started_at WHERE call = new.seq;
END;

CREATE TRIGGER contacts_call_links AFTER DELETE ON contacts BEGIN
    DELETE FROM call_links WHERE kind = 'contact' AND subject = old.id;
END;

CREATE TRIGGER organizations_call_links AFTER DELETE ON organizations BEGIN
    DELETE FROM call_links WHERE kind = 'organization' AND subject = old.id;
END;

CREATE TRIGGER tickets_delete AFTER DELETE ON tickets BEGIN
    DELETE FROM ticket_words WHERE rowid = old.id;
    DELETE FROM call_links WHERE kind = 'ticket' AND subject = old.id;
END;

CREATE VIRTUAL TABLE ticket_words USING fts5 (
    title, bodies, content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);

CREATE VIRTUAL TABLE note_words USING fts5 (
    text, content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);

CREATE VIRTUAL TABLE call_note_words USING fts5 (
    text, content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);

CREATE VIRTUAL TABLE contact_note_words USING fts5 (
    text, content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);

CREATE INDEX contacts_by_stage ON contacts (stage, folded, id) WHERE stage IS NOT NULL;

CREATE INDEX calls_missed ON calls (started_at)
    WHERE direction = 'inbound' AND ended_at IS NOT NULL
    AND (answered_at IS NULL OR state IN ('failed', 'no-answer'))
    AND state NOT IN ('blocked', 'answered-elsewhere', 'forwarded');

CREATE TRIGGER calls_count_insert AFTER INSERT ON calls BEGIN
    UPDATE row_counts SET row_count = row_count + 1 WHERE list IN ('calls', new.direction,
        iif(new.direction = 'inbound' AND new.ended_at IS NOT NULL
            AND (new.answered_at IS NULL OR new.state IN ('failed', 'no-answer'))
            AND new.state NOT IN ('blocked', 'answered-elsewhere', 'forwarded'), 'missed', ''));
END;

CREATE TRIGGER calls_count_delete AFTER DELETE ON calls BEGIN
    UPDATE row_counts SET row_count = row_count - 1 WHERE list IN ('calls', old.direction,
        iif(old.direction = 'inbound' AND old.ended_at IS NOT NULL
            AND (old.answered_at IS NULL OR old.state IN ('failed', 'no-answer'))
            AND old.state NOT IN ('blocked', 'answered-elsewhere', 'forwarded'), 'missed', ''));
END;

CREATE TRIGGER calls_count_update AFTER UPDATE OF state, answered_at, ended_at ON calls
WHEN new.direction = 'inbound' BEGIN
    UPDATE row_counts SET row_count = row_count
        + (new.ended_at IS NOT NULL
            AND (new.answered_at IS NULL OR new.state IN ('failed', 'no-answer'))
            AND new.state NOT IN ('blocked', 'answered-elsewhere', 'forwarded'))
        - (old.ended_at IS NOT NULL
            AND (old.answered_at IS NULL OR old.state IN ('failed', 'no-answer'))
            AND old.state NOT IN ('blocked', 'answered-elsewhere', 'forwarded'))
    WHERE list = 'missed';
END;

CREATE INDEX calls_entered ON calls (started_at) WHERE by_hand = 1;

CREATE TABLE contacts_to_index (
    first INTEGER PRIMARY KEY,
    lines TEXT NOT NULL
) STRICT;

INSERT INTO row_counts VALUES ('calls', 0);
INSERT INTO row_counts VALUES ('contacts', 0);
INSERT INTO row_counts VALUES ('inbound', 0);
INSERT INTO row_counts VALUES ('leads', 0);
INSERT INTO row_counts VALUES ('missed', 0);
INSERT INTO row_counts VALUES ('outbound', 0);
INSERT INTO row_counts VALUES ('to-call-back', 0);
