"""The figures of the last runs for Prometheus, in its text format."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from snello.watch.judgement import CODES, Alert
from snello.watch.observation import Observation, SyncState

NAMES = {
    "snello_published_timestamp_seconds": "When something was last published.",
    "snello_sync_rows": "Receipts of the sync's last run, by operation and status.",
    "snello_sync_held": "Rows that the channel holds of the sync.",
    "snello_sync_waiting": "Rows that will be sent again.",
    "snello_sync_dead": "Rows that were refused or given up.",
    "snello_sync_excluded": "Members kept back now, by gate and code.",
    "snello_sync_size": "Size of the audience as the platform reports it.",
    "snello_sync_matched": "Rows that the platform found people for.",
    "snello_sync_last_run_timestamp_seconds": "When the sync's last run began.",
    "snello_sync_last_run_seconds": "How long the sync's last run took.",
    "snello_sync_last_run_ok": "1 when the last run went through, 0 when it was stopped.",
    "snello_alerts": "Alerts that stand now, by kind.",
}
_LABELS = {
    "snello_published_timestamp_seconds": (),
    "snello_sync_rows": ("sync", "op", "status"),
    "snello_sync_excluded": ("sync", "gate", "code"),
    "snello_alerts": ("kind",),
}
_STOPPED = ("breaker open", "stopped", "interrupted")


def metrics(seen: Observation, alerts: Sequence[Alert]) -> str:
    """Everything that is known, as Prometheus reads it from a file or a page."""
    registry = CollectorRegistry()
    gauges = {name: Gauge(name, text, _LABELS.get(name, ("sync",)), registry=registry) for name, text in NAMES.items()}
    if seen.published_at:
        gauges["snello_published_timestamp_seconds"].set(seen.published_at.timestamp())
    for sync in seen.syncs:
        _of(sync, gauges)
    for kind in CODES:
        gauges["snello_alerts"].labels(kind).set(sum(alert.kind == kind for alert in alerts))
    return generate_latest(registry).decode()


def _of(sync: SyncState, gauges: dict[str, Gauge]) -> None:
    for (op, status), many in sync.counts.items():
        gauges["snello_sync_rows"].labels(sync.name, op, status).set(many)
    for (gate, code), many in sync.excluded.items():
        gauges["snello_sync_excluded"].labels(sync.name, gate, code).set(many)
    for name in ("held", "waiting", "dead", "size", "matched"):
        if (value := getattr(sync, name)) is not None:
            gauges[f"snello_sync_{name}"].labels(sync.name).set(value)
    if sync.started_at:
        gauges["snello_sync_last_run_timestamp_seconds"].labels(sync.name).set(sync.started_at.timestamp())
        gauges["snello_sync_last_run_ok"].labels(sync.name).set(sync.outcome not in _STOPPED)
    if sync.started_at and sync.finished_at:
        seconds = (sync.finished_at - sync.started_at).total_seconds()
        gauges["snello_sync_last_run_seconds"].labels(sync.name).set(seconds)
