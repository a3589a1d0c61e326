"""Tracks files as the existing Python product does, for the benchmark.

Each file of standard input is read, its line ends made LF, hashed, compared with
the head by difflib, and recorded in one transaction. Prints the seconds it took.
"""

import difflib
import hashlib
import os
import sqlite3
import sys
import time
from datetime import datetime

schema, database, synchronous = sys.argv[1:]
paths = sys.stdin.read().splitlines()
fresh = not os.path.exists(database)
db = sqlite3.connect(database, isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.execute(f"PRAGMA synchronous = {synchronous}")
if fresh:
    with open(schema) as file:
        db.executescript(file.read())


def track(path: str) -> None:
    with open(path, "rb") as file:
        raw = file.read()
    text = raw.decode().replace("\r\n", "\n").replace("\r", "\n")
    digest = hashlib.sha256(text.encode()).hexdigest()
    head = db.execute(
        "SELECT v.id, v.content, v.content_hash FROM file_states s JOIN file_versions v"
        " ON v.file_path = s.file_path AND v.content_hash = s.content_hash WHERE s.file_path = ?",
        (path,),
    ).fetchone()
    old_id, old_text, old_digest = head or (None, "", None)
    if old_digest == digest:
        return
    kind = "modified" if head else "created"
    lines = list(difflib.unified_diff(old_text.splitlines(), text.splitlines(), path, path, lineterm=""))
    added = sum(line.startswith("+") for line in lines[2:])
    removed = sum(line.startswith("-") for line in lines[2:])
    now = datetime.now().isoformat(" ")
    count = len(text.splitlines())
    db.execute("BEGIN IMMEDIATE")
    new_id = db.execute(
        "INSERT INTO file_versions (file_path, content_hash, content, line_count, timestamp, change_description)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (path, digest, text, count, now, f"File {kind}"),
    ).lastrowid
    db.execute(
        "INSERT INTO content_diffs (file_path, old_version_id, new_version_id, change_type, diff_content,"
        " lines_added, lines_removed, timestamp) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (path, old_id, new_id, kind, "\n".join(lines), added, removed, now),
    )
    key = hashlib.sha256(f"{path}{kind}{old_digest}{digest}".encode()).hexdigest()
    db.execute(
        "INSERT INTO file_changes (file_path, change_type, old_content_hash, new_content_hash, timestamp, content_hash)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (path, kind, old_digest, digest, now, key),
    )
    db.execute("INSERT INTO events (type, path, timestamp, size) VALUES (?, ?, ?, ?)", (kind, path, now, len(raw)))
    db.execute(
        "INSERT INTO file_states (file_path, content_hash, last_modified, line_count, file_size) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (file_path) DO UPDATE SET content_hash = excluded.content_hash,"
        " last_modified = excluded.last_modified, line_count = excluded.line_count,"
        " file_size = excluded.file_size, updated_at = CURRENT_TIMESTAMP",
        (path, digest, now, count, len(raw)),
    )
    db.execute("COMMIT")


start = time.perf_counter()
for path in paths:
    track(path)
print(time.perf_counter() - start)
