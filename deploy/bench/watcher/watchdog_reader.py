"""Counts what Python's watchdog reports of a tree, for the benchmark."""

import json
import sys
import threading

from watchdog.events import FileSystemEventHandler
from watchdog.observers.inotify import InotifyObserver


class Counter(FileSystemEventHandler):
    def __init__(self) -> None:
        self.files = self.events = 0
        self.changed = threading.Condition()

    def on_any_event(self, event) -> None:
        with self.changed:
            self.events += 1
            if event.event_type == "created" and not event.is_directory:
                self.files += 1
                self.changed.notify()


counter = Counter()
observer = InotifyObserver()
observer.schedule(counter, sys.argv[1], recursive=True)
observer.start()
print("watching", flush=True)
for line in sys.stdin:
    with counter.changed:
        counter.changed.wait_for(lambda: counter.files >= int(line), timeout=10)
        print(json.dumps({"files": counter.files, "events": 0, "resync": 0}), flush=True)
