"""The flags: whether a call goes to Go or to Python.

    from obby_clients.flags import Flags, Service

    flags = Flags()
    print(flags.decide(Service.FILE_WATCHER, "/home/me/notes"))

`variables` has the names, `parse` what may be written, `source` where it is
read, `decision` the rules, `admin` the changes while everything runs. Needs
neither grpcio nor protobuf.
"""

from .admin import FlagsAdmin
from .bucket import bucket, canonical
from .decision import Backend, Decision, Reason, Setting
from .flags import Flags, FlagsError, Problem, Reading
from .source import DamagedError
from .variables import Service

__all__ = [
    "Backend",
    "DamagedError",
    "Decision",
    "Flags",
    "FlagsAdmin",
    "FlagsError",
    "Problem",
    "Reading",
    "Reason",
    "Service",
    "Setting",
    "bucket",
    "canonical",
]
