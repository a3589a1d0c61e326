-- A file as the existing Python backend makes it. This text is on purpose not
-- that of the package sqlite: it is what has to be adopted. Its file_versions has
-- a column too many, its events have one too few.
CREATE TABLE file_versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_path TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    content TEXT,
    line_count INTEGER DEFAULT 0,
    timestamp DATETIME NOT NULL,
    change_description TEXT,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    reviewed_by TEXT,
    UNIQUE(file_path, content_hash)
);
CREATE TABLE content_diffs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_path TEXT NOT NULL,
    old_version_id INTEGER,
    new_version_id INTEGER,
    change_type TEXT NOT NULL CHECK(change_type IN ('created','modified','deleted','moved')),
    diff_content TEXT,
    lines_added INTEGER DEFAULT 0,
    lines_removed INTEGER DEFAULT 0,
    timestamp DATETIME NOT NULL,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (old_version_id) REFERENCES file_versions(id) ON DELETE CASCADE,
    FOREIGN KEY (new_version_id) REFERENCES file_versions(id) ON DELETE CASCADE
);
CREATE TABLE file_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_path TEXT NOT NULL,
    change_type TEXT NOT NULL CHECK(change_type IN ('created','modified','deleted','moved')),
    old_content_hash TEXT,
    new_content_hash TEXT,
    timestamp DATETIME NOT NULL,
    content_hash TEXT UNIQUE,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL CHECK(type IN ('created','modified','deleted','moved')),
    path TEXT NOT NULL,
    timestamp DATETIME NOT NULL,
    size INTEGER DEFAULT 0,
    processed BOOLEAN DEFAULT FALSE
);
CREATE TABLE file_states (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_path TEXT UNIQUE NOT NULL,
    content_hash TEXT,
    last_modified DATETIME NOT NULL,
    line_count INTEGER NOT NULL DEFAULT 0,
    file_size INTEGER DEFAULT 0,
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE semantic_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version_id INTEGER REFERENCES file_versions(id),
    timestamp DATETIME NOT NULL,
    date TEXT NOT NULL,
    time TEXT NOT NULL,
    type TEXT NOT NULL,
    summary TEXT NOT NULL,
    impact TEXT NOT NULL,
    file_path TEXT,
    searchable_text TEXT,
    markdown_file_path TEXT,
    source_type TEXT DEFAULT 'file',
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    context_metadata TEXT
);
CREATE TABLE semantic_topics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    entry_id INTEGER NOT NULL REFERENCES semantic_entries(id) ON DELETE CASCADE,
    topic TEXT NOT NULL,
    UNIQUE(entry_id, topic)
);
CREATE TABLE semantic_keywords (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    entry_id INTEGER NOT NULL REFERENCES semantic_entries(id) ON DELETE CASCADE,
    keyword TEXT NOT NULL,
    UNIQUE(entry_id, keyword)
);
CREATE TABLE semantic_analysis (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_path TEXT NOT NULL,
    content_hash TEXT,
    summary TEXT,
    topics TEXT,
    keywords TEXT,
    impact_level TEXT,
    timestamp DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE VIRTUAL TABLE semantic_search USING fts5(
    summary, searchable_text, content='semantic_entries', content_rowid='id'
);
CREATE TABLE config_values (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    type TEXT NOT NULL CHECK(type IN ('int','str','bool','json')),
    description TEXT,
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE watch_patterns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pattern TEXT NOT NULL,
    type TEXT NOT NULL CHECK(type IN ('include','exclude')),
    enabled BOOLEAN DEFAULT TRUE
);
CREATE TABLE migration_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    migration_name TEXT UNIQUE NOT NULL,
    applied_at DATETIME DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX idx_versions_path ON file_versions(file_path);
CREATE INDEX idx_versions_timestamp ON file_versions(timestamp DESC);
CREATE INDEX idx_versions_hash ON file_versions(content_hash);
CREATE INDEX idx_diffs_path ON content_diffs(file_path);
CREATE INDEX idx_diffs_timestamp ON content_diffs(timestamp DESC);
CREATE INDEX idx_diffs_versions ON content_diffs(old_version_id, new_version_id);
CREATE INDEX idx_changes_path ON file_changes(file_path);
CREATE INDEX idx_changes_timestamp ON file_changes(timestamp DESC);
CREATE INDEX idx_events_path ON events(path);
CREATE INDEX idx_events_timestamp ON events(timestamp DESC);
CREATE INDEX idx_states_path ON file_states(file_path);
CREATE INDEX idx_semantic_path ON semantic_entries(file_path);
CREATE INDEX idx_semantic_version ON semantic_entries(version_id);

CREATE TRIGGER validate_version_timestamp BEFORE INSERT ON file_versions
WHEN NEW.timestamp > datetime('now', 'localtime', '+1 day')
BEGIN SELECT RAISE(ABORT, 'Timestamp cannot be in the future'); END;
CREATE TRIGGER validate_event_timestamp BEFORE INSERT ON events
WHEN NEW.timestamp > datetime('now', 'localtime', '+1 day')
BEGIN SELECT RAISE(ABORT, 'Timestamp cannot be in the future'); END;
CREATE TRIGGER validate_content_hash BEFORE INSERT ON file_versions
WHEN length(NEW.content_hash) != 64 OR NEW.content_hash GLOB '*[^0-9a-f]*'
BEGIN SELECT RAISE(ABORT, 'Invalid content hash'); END;

PRAGMA user_version = 7;
INSERT INTO migration_log (migration_name, applied_at) VALUES
    ('001_initial', '2023-11-01 08:00:00'), ('002_reviewed_by', '2024-01-15 08:00:00');
INSERT INTO config_values (key, value, type, updated_at) VALUES
    ('debounce_ms', '500', 'int', '2024-03-01 00:00:00'), ('theme', 'dark', 'str', '2024-03-01 00:00:00');
INSERT INTO watch_patterns (pattern, type) VALUES ('*.md', 'include'), ('node_modules/', 'exclude');
