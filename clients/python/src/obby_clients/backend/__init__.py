"""`obby-backend`: a small, complete backend, in Python alone or with the Go services.

It watches folders, records every change, answers over HTTP and streams events; the
flags say for each of the four tasks whether Python or Go does it. The pipeline
(`pipeline`) is watching (`watching`), recording (`recording`) and publishing
(`publishing`); each can change sides at any moment without losing or repeating a change.
"""

__all__: list[str] = []  # the parts are imported from their modules
