"""Which watched roots are on which side, and their move from one to the other.

A root has one watcher at a time, and nested roots have the same: two would report
every event twice. A root that moves is watched by the new side before the old
one lets go; what either of them may have missed is the consumer's to compare, by
a Resync.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from .._living import Living
from ..errors import NotFoundError, ObbyError
from ..flags import Backend, Decision, Reason, Service, canonical
from ..watcher.values import Resync, ResyncReason
from .attempt import admitted, begin
from .calls import CALLS
from .carry import carried
from .router import Router
from .steps import END, Item, Step, following

__all__ = ["Root", "Watching"]

_LOG = logging.getLogger("obby_clients.routing")
_SERVICE = Service.FILE_WATCHER


@dataclass(slots=True)
class Root:
    """One watched root."""

    path: str
    """As the watcher calls it: symlinks resolved."""
    options: dict[str, Any]
    """What start_watching was given, for the other side."""
    watch_id: str
    """What the caller knows it by, wherever it is."""
    side: Backend
    """Who watches it."""
    side_id: str
    """What that side calls it."""


class Watching:
    """The roots of one `Obby`. Its generators run one at a time, or on one loop."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._roots: dict[str, Root] = {}
        self._moving = False
        self.streams: Living[Any] = Living()
        """The streams of events; each is told of the roots that have moved."""
        self.lost: set[Backend] = set()
        """Sides that have restarted, and may know nothing of their watches."""

    def start(self, path: Any, kwargs: dict[str, Any], subject: Any) -> Generator[Step, Any, Any]:
        """Carry out start_watching."""
        real = os.path.realpath(os.fsdecode(path))
        outer = self._outermost(real)
        asked = self._asked(real if outer is None else outer.path, subject)
        if outer is not None and outer.side is not asked.backend:
            asked = replace(asked, backend=outer.side, reason=Reason.FORCED, detail="outer root")
        call = CALLS[_SERVICE]["start_watching"]
        attempt = begin(self._router, call, subject, (path,), kwargs, asked)
        started = yield from carried(attempt)
        side, watch = attempt.ran.backend, started.watch
        options = {key: value for key, value in kwargs.items() if key != "timeout"}
        known = self._roots.get(watch.path)
        watch_id = known.watch_id if known else watch.watch_id
        root = Root(watch.path, options, watch_id, side, watch.watch_id)
        self._roots[watch.path] = root
        if known is not None and known.side is not side:
            yield from self._leave(known.side, known.side_id)
        yield from self.rebalance()  # roots below it follow it
        return replace(started, watch=replace(watch, watch_id=watch_id))

    def stop(self, watch_id: str, kwargs: dict[str, Any]) -> Generator[Step, Any, None]:
        """Carry out stop_watching."""
        root = self._by_id(watch_id)
        if root is None:
            yield from self._either("stop_watching", (watch_id,), kwargs)
            return
        self._roots.pop(root.path, None)
        yield from self._on(root, "stop_watching", (root.side_id,), kwargs)

    def update(
        self, watch_id: str, patterns: Any, kwargs: dict[str, Any]
    ) -> Generator[Step, Any, Any]:
        """Carry out update_patterns."""
        root = self._by_id(watch_id)
        if root is None:
            return (yield from self._either("update_patterns", (watch_id, patterns), kwargs))
        root.options["patterns"] = patterns
        watch = yield from self._on(root, "update_patterns", (root.side_id, patterns), kwargs)
        return replace(watch, watch_id=watch_id)

    def list(self, kwargs: dict[str, Any]) -> Generator[Step | Item, Any, None]:
        """Carry out list_watches, over both sides."""
        left = kwargs.get("limit")
        call = CALLS[_SERVICE]["list_watches"]
        for side in Backend:
            attempt = begin(self._router, call, None, (), dict(kwargs), self._to(side))
            client = None
            if side is Backend.PYTHON:
                client = self._router.fallback.watcher
            elif self._router.flags.setting(_SERVICE).go_possible:
                client = yield from admitted(attempt)
            if client is None:
                continue
            source = client.list_watches(**kwargs)
            while left != 0 and (watch := (yield partial(following, source))) is not END:
                left = None if left is None else left - 1
                yield Item(self.named(side, watch))
            attempt.count(None)

    def rebalance(self) -> Generator[Step, Any, None]:
        """Move each root to the side where it belongs now, unless that is being done.

        A root whose side has restarted is watched again.
        """
        if self._moving:
            return
        self._moving = True
        try:
            lost = self.lost & {*Backend}
            self.lost -= lost
            for root in list(self._roots.values()):
                want = self._desired(root)
                stays = want is root.side and want not in lost
                if not stays and self._roots.get(root.path) is root:
                    yield from self._try_to_move(root, want)
        finally:
            self._moving = False

    def named(self, side: Backend, item: Any) -> Any:
        """Return an item of a side with the watch id that the caller knows."""
        for root in list(self._roots.values()):  # another thread may start a watch
            if root.side is side and root.side_id == item.watch_id:
                return item if root.watch_id == item.watch_id else _with_id(item, root)
        return item

    def known(self, watch_ids: Iterable[str]) -> None:
        """Raise NotFoundError for a watch that is not there."""
        for watch_id in watch_ids:
            if self._by_id(watch_id) is None:
                raise NotFoundError(f"there is no watch {watch_id!r}")

    def sides(self) -> set[Backend]:
        """Return the sides that watch something."""
        return {root.side for root in list(self._roots.values())}

    def _try_to_move(self, root: Root, want: Backend) -> Generator[Step, Any, None]:
        try:
            yield from self._move(root, want)
        except ObbyError as error:  # the next look tries again
            self.lost.add(root.side)
            _LOG.warning("a root could not be moved to %s: %s", want.value, error)

    def _move(self, root: Root, want: Backend) -> Generator[Step, Any, None]:
        call = CALLS[_SERVICE]["start_watching"]
        attempt = begin(self._router, call, None, (root.path,), dict(root.options), self._to(want))
        started = yield from carried(attempt)
        side, old, old_id = attempt.ran.backend, root.side, root.side_id
        root.side, root.side_id = side, started.watch.watch_id
        if side is not old:
            yield from self._leave(old, old_id)
            _LOG.info("watching moved from %s to %s", old.value, side.value)
        elif not started.created:
            return  # it was there all the time
        for stream in self.streams:
            stream._moved(Resync(ResyncReason.RESTARTED, root.watch_id, root.path))

    def _leave(self, side: Backend, watch_id: str) -> Generator[Step, Any, None]:
        """Have a side stop watching, if it is there at all."""
        client = self._client(side)
        if client is None:
            return
        try:
            yield partial(client.stop_watching, watch_id, timeout=1.0)
        except ObbyError as error:
            _LOG.info("%s did not stop watching: %s", side.value, error)

    def _on(
        self, root: Root, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Generator[Step, Any, Any]:
        client = self._client(root.side)
        if client is None:
            raise NotFoundError("the service that watched it is gone")
        return (yield partial(getattr(client, name), *args, **kwargs))

    def _either(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Generator[Step, Any, Any]:
        """Call the side that knows a watch which this process did not start."""
        call = CALLS[_SERVICE][name]
        if self._router.flags.setting(_SERVICE).go_possible:
            attempt = begin(self._router, call, None, args, kwargs, self._to(Backend.GO))
            try:
                return (yield from carried(attempt))
            except NotFoundError:
                pass
        attempt = begin(self._router, call, None, args, kwargs, self._to(Backend.PYTHON))
        return (yield from carried(attempt))

    def _client(self, side: Backend) -> Any:
        if side is Backend.PYTHON:
            return self._router.fallback.watcher
        return self._router.side(_SERVICE).client(self._router.flags.setting(_SERVICE).target or "")

    def _desired(self, root: Root) -> Backend:
        outer = self._outermost(root.path) or root
        decision = self._asked(outer.path, None)
        away = self._router.side(_SERVICE).breaker.state == "open"
        return Backend.PYTHON if away else decision.backend

    def _asked(self, path: str, subject: Any) -> Decision:
        call = CALLS[_SERVICE]["start_watching"]
        return self._router.asked(call, subject or canonical(path), (), {})

    def _to(self, side: Backend) -> Decision:
        return Decision(_SERVICE, side, Reason.FORCED, "where it is")

    def _outermost(self, path: str) -> Root | None:
        above = [root for root in list(self._roots.values()) if _contains(root.path, path)]
        return min(above, key=lambda root: len(root.path), default=None)

    def _by_id(self, watch_id: str) -> Root | None:
        roots = list(self._roots.values())
        return next((root for root in roots if root.watch_id == watch_id), None)


def _with_id(item: Any, root: Root) -> Any:
    return replace(item, watch_id=root.watch_id)


def _contains(outer: str, path: str) -> bool:
    return path != outer and path.startswith(outer.rstrip("/") + "/")
