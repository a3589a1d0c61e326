"""The counters of flags and routing for Prometheus (extra `prometheus`).

    from obby_clients import prometheus

    prometheus.register()

What exposes the registry exposes them then: `obby_decisions_total` (what the flags
said), `obby_calls_total` (what ran), `obby_shadow_total`, `obby_guard_trips_total`,
`obby_flag_invalid_total`.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import REGISTRY, CounterMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from .metrics import COUNTERS, Counters

__all__ = ["CountersCollector", "register"]

_HELP = {
    "obby_decisions_total": "Calls by what the flags said.",
    "obby_calls_total": "Calls by who answered them, and how.",
    "obby_shadow_total": "Answers that were compared with the other side's.",
    "obby_guard_trips_total": "Services that the guard has turned off.",
    "obby_flag_invalid_total": "Values of variables that cannot be read.",
}


class CountersCollector(Collector):
    """Reads the counters when it is asked for them."""

    def __init__(self, counters: Counters = COUNTERS) -> None:
        """Read `counters`, by default those of this process."""
        self._counters = counters

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Return a family for each counter's name."""
        families: dict[str, CounterMetricFamily] = {}
        for counted in self._counters.read():
            names, values = zip(*counted.labels, strict=True)
            family = families.get(counted.name)
            if family is None:
                text = _HELP.get(counted.name, "")
                family = CounterMetricFamily(counted.name, text, labels=names)
                families[counted.name] = family
            family.add_metric(values, counted.value)
        return families.values()


def register(registry: CollectorRegistry = REGISTRY) -> CountersCollector:
    """Add the counters to a registry, by default to the usual one."""
    collector = CountersCollector()
    registry.register(collector)
    return collector
