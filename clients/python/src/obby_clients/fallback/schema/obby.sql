-- Our own tables, version 1 of component 'store'. Everything is additive: they
-- stand beside the existing product's tables and put nothing on those. A row of
-- ours may outlive the row that it describes, because the Python program deletes
-- without knowing of it; readers join from the product's tables.

-- Which version of each component of our tables is in the file.
CREATE TABLE obby_schema (
    component TEXT PRIMARY KEY,
    version INTEGER NOT NULL
);
INSERT INTO obby_schema (component, version) VALUES ('store', 1);

-- Facts about the file. 'database_id' is random hexadecimal text, made once: a
-- file that was replaced or restored elsewhere is told by it.
CREATE TABLE obby_meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
INSERT INTO obby_meta (key, value) VALUES ('database_id', lower(hex(randomblob(16))));

-- The directory that each watched root was when it was first seen. Another one at
-- its path, such as the empty mount point of an unmounted disk, is not the root.
CREATE TABLE obby_roots (
    root_path TEXT PRIMARY KEY,
    device INTEGER NOT NULL,    -- st_dev
    inode INTEGER NOT NULL      -- st_ino
);

-- What stat(2) said when a path was last tracked: a file that still says the same
-- need not be read.
CREATE TABLE obby_files (
    file_path TEXT PRIMARY KEY,
    device INTEGER,             -- st_dev
    inode INTEGER,              -- st_ino
    size_bytes INTEGER,
    mtime_ns INTEGER,           -- nanoseconds since the Unix epoch
    ctime_ns INTEGER            -- nanoseconds since the Unix epoch
);

-- What file_versions has no column for.
CREATE TABLE obby_versions (
    version_id INTEGER PRIMARY KEY,     -- file_versions.id
    kind TEXT NOT NULL CHECK (kind IN ('text', 'lossy', 'binary', 'omitted')), -- how the content is kept
    eol TEXT NOT NULL CHECK (eol IN ('lf', 'crlf', 'cr', 'mixed', 'none')),    -- line ends on disk
    size_bytes INTEGER NOT NULL,        -- of the file on disk
    mtime_ns INTEGER NOT NULL           -- of the file on disk, nanoseconds since the Unix epoch
);

-- The exact bytes of lossy and binary contents. They must not enter a TEXT
-- column: Python then fails the whole query that reads it.
CREATE TABLE obby_blobs (
    content_hash TEXT PRIMARY KEY,      -- file_versions.content_hash
    data BLOB NOT NULL
);

-- What content_diffs has no column for.
CREATE TABLE obby_diffs (
    diff_id INTEGER PRIMARY KEY,        -- content_diffs.id
    old_path TEXT,                      -- moved: the former path
    truncated INTEGER NOT NULL DEFAULT 0 -- 1: diff_content is cut or left out for size
);
CREATE INDEX obby_diffs_old_path ON obby_diffs (old_path) WHERE old_path IS NOT NULL;

-- Versions that a person marked.
CREATE TABLE obby_labels (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version_id INTEGER NOT NULL UNIQUE, -- file_versions.id
    label TEXT NOT NULL,                -- empty: only pinned
    pinned INTEGER NOT NULL             -- 1: kept by every retention policy
);

-- Requests of TrackChange that were answered: a repetition gets the same answer.
CREATE TABLE obby_requests (
    request_id TEXT PRIMARY KEY,
    diff_id INTEGER,                    -- content_diffs.id; NULL: nothing was recorded
    version_id INTEGER,                 -- file_versions.id; NULL: the path was deleted
    created_at INTEGER NOT NULL         -- microseconds since the Unix epoch
);
CREATE INDEX obby_requests_created_at ON obby_requests (created_at);

-- Committed changes that the hub has not acknowledged yet, in their order.
-- AUTOINCREMENT: an id is never given again after its row was deleted.
CREATE TABLE obby_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    diff_id INTEGER NOT NULL UNIQUE     -- content_diffs.id
);

-- Which version of a path obby_search holds. A path without a row is not in it.
CREATE TABLE obby_indexed (
    file_path TEXT PRIMARY KEY,
    version_id INTEGER NOT NULL         -- file_versions.id = rowid of obby_search
);

-- Full-text index of the newest version of each live path. The text itself is
-- read from file_versions, so an entry is removed by the 'delete' command with
-- exactly the values that were inserted, and the 'rebuild' command must never
-- run: it would index every version. Its options are those of SQLite 3.40.
CREATE VIRTUAL TABLE obby_search USING fts5 (
    file_path,
    content,
    content = 'file_versions',
    content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2'
);
-- With FTS5's 4 segments to a merge a changed note of 5 KB costs 3 ms, nearly all of
-- it merging; with 8 it is half, and a search takes as long as before.
INSERT INTO obby_search (obby_search, rank) VALUES ('automerge', 8);
