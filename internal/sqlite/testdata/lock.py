"""Hold the write lock for half a second, then commit a version."""

import sqlite3
import sys
import time

db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
db.execute(
    "INSERT INTO file_versions (file_path, content_hash, timestamp) VALUES ('/late', ?, '2024-03-05 10:11:12')",
    ("0" * 64,),
)
time.sleep(0.5)
db.execute("COMMIT")
