"""Read what a Go writer wrote, and write as the Python backend does."""

import hashlib
import json
import sqlite3
import sys

db = sqlite3.connect(sys.argv[1], timeout=10)
db.execute("PRAGMA foreign_keys = ON")
text = "from python\n"
digest = hashlib.sha256(text.encode()).hexdigest()
at = 1709633472.5
with db:
    version = db.execute(
        "INSERT INTO file_versions (file_path, content_hash, content, line_count, timestamp, change_description)"
        " VALUES ('/theirs', ?, ?, 1, ?, 'File created')",
        (digest, text, at),
    ).lastrowid
    db.execute(
        "INSERT INTO content_diffs (file_path, old_version_id, new_version_id, change_type, diff_content,"
        " lines_added, lines_removed, timestamp) VALUES ('/theirs', NULL, ?, 'created', '+from python', 1, 0, ?)",
        (version, at),
    )
    db.execute("INSERT INTO events (type, path, timestamp, size) VALUES ('created', '/theirs', ?, 12)", (at,))
    db.execute(
        "INSERT INTO file_states (file_path, content_hash, last_modified, line_count, file_size)"
        " VALUES ('/theirs', ?, ?, 1, 12) ON CONFLICT (file_path) DO UPDATE SET content_hash = excluded.content_hash",
        (digest, at),
    )
    entry = db.execute(
        "INSERT INTO semantic_entries (version_id, timestamp, date, time, type, summary, impact, file_path)"
        " VALUES (?, ?, '2024-03-05', '10:11:12', 'content', 'Shared', 'minor', '/theirs')",
        (version, at),
    ).lastrowid
    db.execute("INSERT INTO semantic_topics (entry_id, topic) VALUES (?, 'shared')", (entry,))
try:
    db.execute("INSERT INTO events (type, path, timestamp) VALUES ('created', '/late', '2099-01-01 00:00:00')")
    refused = False
except sqlite3.IntegrityError:
    refused = True
    db.rollback()

print(
    json.dumps(
        {
            "version": db.execute(
                "SELECT file_path, content, timestamp, change_description FROM file_versions WHERE id = 1"
            ).fetchone(),
            "diff": db.execute("SELECT change_type, diff_content, lines_added FROM content_diffs WHERE id = 1").fetchone(),
            "found": db.execute("SELECT count(*) FROM obby_search WHERE obby_search MATCH 'cafe'").fetchone()[0],
            "refused": refused,
            "integrity": db.execute("PRAGMA integrity_check").fetchone()[0],
        }
    )
)
