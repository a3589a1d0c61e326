"""`obby-backend`: the reference backend as a program."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Sequence

from ..errors import ObbyError
from ..fallback import ContentTracker
from ..flags import Flags, FlagsError
from . import log
from .settings import SettingsError, parse

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; return the status for the shell."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        settings = parse(given, os.environ)
        os.environ["OBBY_FLAGS_FILE"] = settings.flags_file
        Flags()
        ContentTracker(settings.database, settings.roots).close()  # makes the file
        _check_address(settings.host, settings.port)
    except (SettingsError, FlagsError, ObbyError) as error:
        return _refused(error.message if isinstance(error, ObbyError) else str(error))
    try:
        import uvicorn  # noqa: PLC0415 (needs the extra)

        from .app import ARGUMENTS  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name not in {"fastapi", "uvicorn"}:
            raise
        return _refused(f"{error.name} is missing: pip install 'obby-clients[backend]'")
    os.environ[ARGUMENTS] = json.dumps(given)
    # Of the workers' parent.
    log.configure(settings.log_level, settings.log_format, workers=settings.workers)
    uvicorn.run(
        "obby_clients.backend.app:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        timeout_graceful_shutdown=settings.stop_timeout,
        log_config=None,
        server_header=False,
    )
    return 0


def _check_address(host: str, port: int) -> None:
    """Say it in one sentence where the address cannot be listened at."""
    try:
        (family, *_, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise SettingsError(
            f"--host, --port: {host}:{port} cannot be listened at ({error.strerror}): stop the"
            " program that has it, or give another address"
        ) from error


def _refused(message: str) -> int:
    for line in message.splitlines():
        print(f"obby-backend: {line}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
