"""What the hub's operators must learn without looking: alerts, a summary of the last runs, metrics.

- ``observe``: the last runs of the syncs, from ledger and lake, as figures
- ``judge``: what of it somebody must know
- ``tell``: to whom it has not been told yet, by webhook and by mail
- ``metrics``: the same figures for Prometheus
"""

from snello.watch.judgement import Alert, Terms, judge
from snello.watch.metrics import metrics
from snello.watch.observation import Observation, SyncState, observe
from snello.watch.telling import tell

__all__ = ["Alert", "Observation", "SyncState", "Terms", "judge", "metrics", "observe", "tell"]
