"""The lake: Delta tables under one root, written by loaders, read by dbt, targets and people.

- ``raw/<source>/<stream>``: what each source said, one table a stream
- ``raw/<source>/_quarantine``: records that did not fit their schema, with the reason
- ``raw/<source>/_loads``: one row a stream and run of the loader
- ``published/<table>``: what passed dbt's tests, at the versions that ``published/manifest.json`` names
"""

from snello.lake.lake import Lake
from snello.lake.manifest import Manifest, TableRef
from snello.lake.upkeep import compact, vacuum

__all__ = ["Lake", "Manifest", "TableRef", "compact", "vacuum"]
