"""How often Python looks for garbage while dbt runs: a quarter of dbt's own time went there."""

from __future__ import annotations

import gc

from dbt.plugins.manager import dbtPlugin

_THRESHOLDS = (50_000, 20, 100)


class SeldomCollected(dbtPlugin):
    """Lets Python look for cycles seldom.

    - for each node dbt makes a thousand objects that live as long as the node, beside a manifest that lives as long as
      the run; by Python's own thresholds each node had the whole of it searched, and nothing was ever found
    - what has no cycle is freed at once as ever; of the rest a run may hold some 50,000 objects longer
    """

    def initialize(self) -> None:
        """Set the thresholds of this process, which ends with the run."""
        gc.set_threshold(*_THRESHOLDS)
