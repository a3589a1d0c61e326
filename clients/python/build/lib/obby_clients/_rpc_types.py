"""The google.rpc messages, which carry the details of an error, and google.api's.

googleapis-common-protos has them, but is no dependency of this package: an old
version of it among the host's would hold back everybody's protobuf. Where it is
missing, copies in `_googleapis` stand in, under the same names, because the
generated code imports `google.rpc.status_pb2` and `google.api.annotations_pb2`,
and because a second module with the same messages would be refused by protobuf as a
conflict.
"""

from __future__ import annotations

from pathlib import Path

import google

__all__ = ["error_details_pb2", "status_pb2"]

try:
    import google.api.annotations_pb2
    from google.rpc import error_details_pb2, status_pb2
except ModuleNotFoundError:
    # At the end of the package's path, so that nothing installed is hidden.
    google.__path__.append(str(Path(__file__).with_name("_googleapis") / "google"))
    from google.rpc import error_details_pb2, status_pb2
