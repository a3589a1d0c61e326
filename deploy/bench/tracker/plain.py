"""Tracks files with the Python clients' fallback, for the benchmark.

Reads the paths from standard input and prints the seconds that they took.
"""

import os
import sys
import time

from obby_clients.fallback import ContentTracker

database, synchronous = sys.argv[1:]
paths = sys.stdin.read().splitlines()
with ContentTracker(database, [os.path.commonpath(paths)]) as tracker:
    with tracker._db.reading() as connection:  # it commits with FULL; NORMAL is for comparison
        connection.execute(f"PRAGMA synchronous = {synchronous}")
    start = time.perf_counter()
    for path in paths:
        tracker.track_change(path)
    print(time.perf_counter() - start)
