-- The tables of the existing product, for a fresh file. The Python program reads
-- and writes them with an SQLite as old as 3.40, so nothing here is newer.
-- Times are local wall-clock text, created_at and updated_at are UTC.

-- One row for each distinct content of a path. A path that returns to an earlier
-- content uses that row again.
CREATE TABLE file_versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_path TEXT NOT NULL,                  -- absolute, symbolic links resolved
    content_hash TEXT NOT NULL,               -- SHA-256 of the text with LF line ends
    content TEXT,                             -- the full text
    line_count INTEGER DEFAULT 0,
    timestamp DATETIME NOT NULL,              -- when it was observed, not its mtime
    change_description TEXT,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (file_path, content_hash)
);
CREATE INDEX idx_file_versions_path ON file_versions (file_path);
CREATE INDEX idx_file_versions_timestamp ON file_versions (timestamp DESC);
CREATE INDEX idx_file_versions_hash ON file_versions (content_hash);

-- One row for each step from one version to the next.
CREATE TABLE content_diffs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_path TEXT NOT NULL,
    old_version_id INTEGER REFERENCES file_versions (id) ON DELETE CASCADE, -- NULL: created
    new_version_id INTEGER REFERENCES file_versions (id) ON DELETE CASCADE, -- NULL: deleted
    change_type TEXT NOT NULL CHECK (change_type IN ('created', 'modified', 'deleted', 'moved')),
    diff_content TEXT,                        -- unified diff
    lines_added INTEGER DEFAULT 0,
    lines_removed INTEGER DEFAULT 0,
    timestamp DATETIME NOT NULL,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_content_diffs_path ON content_diffs (file_path);
CREATE INDEX idx_content_diffs_timestamp ON content_diffs (timestamp DESC);
CREATE INDEX idx_content_diffs_old_version ON content_diffs (old_version_id);
CREATE INDEX idx_content_diffs_new_version ON content_diffs (new_version_id);

-- The bare change log.
CREATE TABLE file_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_path TEXT NOT NULL,
    change_type TEXT NOT NULL CHECK (change_type IN ('created', 'modified', 'deleted', 'moved')),
    old_content_hash TEXT,
    new_content_hash TEXT,
    timestamp DATETIME NOT NULL,
    content_hash TEXT UNIQUE,                 -- a de-duplication key, not a content's hash
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_file_changes_path ON file_changes (file_path);
CREATE INDEX idx_file_changes_timestamp ON file_changes (timestamp DESC);
CREATE INDEX idx_file_changes_old_hash ON file_changes (old_content_hash);
CREATE INDEX idx_file_changes_new_hash ON file_changes (new_content_hash);

-- What was seen on disk.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL CHECK (type IN ('created', 'modified', 'deleted', 'moved')),
    path TEXT NOT NULL,
    timestamp DATETIME NOT NULL,
    size INTEGER,                             -- bytes
    processed BOOLEAN DEFAULT FALSE,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_events_path ON events (path);
CREATE INDEX idx_events_timestamp ON events (timestamp DESC);

-- Where each path stands now.
CREATE TABLE file_states (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_path TEXT NOT NULL UNIQUE,
    content_hash TEXT,                        -- NULL: deleted
    last_modified DATETIME NOT NULL,
    line_count INTEGER NOT NULL DEFAULT 0,
    file_size INTEGER,                        -- bytes
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_file_states_hash ON file_states (content_hash);

-- Summaries that the Python program makes of versions, with their topics and
-- keywords.
CREATE TABLE semantic_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version_id INTEGER REFERENCES file_versions (id) ON DELETE CASCADE,
    timestamp DATETIME NOT NULL,
    date TEXT,
    time TEXT,
    type TEXT,
    summary TEXT,
    impact TEXT,
    file_path TEXT,
    searchable_text TEXT,
    markdown_file_path TEXT,
    source_type TEXT,
    context_metadata TEXT,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_semantic_entries_version ON semantic_entries (version_id);
CREATE INDEX idx_semantic_entries_path ON semantic_entries (file_path);
CREATE INDEX idx_semantic_entries_timestamp ON semantic_entries (timestamp DESC);

CREATE TABLE semantic_topics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    entry_id INTEGER NOT NULL REFERENCES semantic_entries (id) ON DELETE CASCADE,
    topic TEXT NOT NULL,
    UNIQUE (entry_id, topic)
);

CREATE TABLE semantic_keywords (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    entry_id INTEGER NOT NULL REFERENCES semantic_entries (id) ON DELETE CASCADE,
    keyword TEXT NOT NULL,
    UNIQUE (entry_id, keyword)
);

-- Summaries of contents; topics and keywords are comma-separated or JSON text.
CREATE TABLE semantic_analysis (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_path TEXT NOT NULL,
    content_hash TEXT,
    summary TEXT,
    topics TEXT,
    keywords TEXT,
    impact_level TEXT,
    timestamp DATETIME NOT NULL
);
CREATE INDEX idx_semantic_analysis_path ON semantic_analysis (file_path);
CREATE INDEX idx_semantic_analysis_timestamp ON semantic_analysis (timestamp DESC);
CREATE INDEX idx_semantic_analysis_hash ON semantic_analysis (content_hash);

-- Settings of the Python program.
CREATE TABLE config_values (
    key TEXT PRIMARY KEY,
    value TEXT,
    type TEXT NOT NULL CHECK (type IN ('int', 'str', 'bool', 'json')),
    description TEXT,
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE watch_patterns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pattern TEXT NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('include', 'exclude')),
    enabled BOOLEAN DEFAULT TRUE
);

-- A row dated more than a day ahead is a mistake: a file's mtime was taken for
-- the time of observation. julianday() reads 'T' and fractions too. A number
-- counts seconds, from 1e12 on milliseconds, which are let pass.
CREATE TRIGGER file_versions_timestamp_insert BEFORE INSERT ON file_versions
WHEN CASE typeof(NEW.timestamp)
    WHEN 'text' THEN julianday(NEW.timestamp) > julianday('now', 'localtime', '+1 day')
    ELSE NEW.timestamp > strftime('%s', 'now') + 86400 AND NEW.timestamp < 1e12 END
BEGIN SELECT RAISE(ABORT, 'file_versions.timestamp is more than a day in the future'); END;

CREATE TRIGGER file_versions_timestamp_update BEFORE UPDATE OF timestamp ON file_versions
WHEN CASE typeof(NEW.timestamp)
    WHEN 'text' THEN julianday(NEW.timestamp) > julianday('now', 'localtime', '+1 day')
    ELSE NEW.timestamp > strftime('%s', 'now') + 86400 AND NEW.timestamp < 1e12 END
BEGIN SELECT RAISE(ABORT, 'file_versions.timestamp is more than a day in the future'); END;

CREATE TRIGGER events_timestamp_insert BEFORE INSERT ON events
WHEN CASE typeof(NEW.timestamp)
    WHEN 'text' THEN julianday(NEW.timestamp) > julianday('now', 'localtime', '+1 day')
    ELSE NEW.timestamp > strftime('%s', 'now') + 86400 AND NEW.timestamp < 1e12 END
BEGIN SELECT RAISE(ABORT, 'events.timestamp is more than a day in the future'); END;

CREATE TRIGGER events_timestamp_update BEFORE UPDATE OF timestamp ON events
WHEN CASE typeof(NEW.timestamp)
    WHEN 'text' THEN julianday(NEW.timestamp) > julianday('now', 'localtime', '+1 day')
    ELSE NEW.timestamp > strftime('%s', 'now') + 86400 AND NEW.timestamp < 1e12 END
BEGIN SELECT RAISE(ABORT, 'events.timestamp is more than a day in the future'); END;

CREATE TRIGGER file_versions_hash_insert BEFORE INSERT ON file_versions
WHEN length(NEW.content_hash) <> 64 OR NEW.content_hash GLOB '*[^0-9a-f]*'
BEGIN SELECT RAISE(ABORT, 'file_versions.content_hash is not 64 lower-case hexadecimal digits'); END;

CREATE TRIGGER file_versions_hash_update BEFORE UPDATE OF content_hash ON file_versions
WHEN length(NEW.content_hash) <> 64 OR NEW.content_hash GLOB '*[^0-9a-f]*'
BEGIN SELECT RAISE(ABORT, 'file_versions.content_hash is not 64 lower-case hexadecimal digits'); END;
