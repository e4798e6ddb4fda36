"""Scores of one run brought to the next: only pairs of records that changed are scored again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyarrow as pa

from snello.identity.likelihood.crossing import crossed
from snello.identity.likelihood.model import Model
from snello.identity.likelihood.records import Records, opened
from snello.identity.likelihood.scoring import score


def turned(records: Records, model: Model, last: Collection[str], changed: pa.ChunkedArray) -> pa.Table:
    """The ``record`` of each whose pairs must be scored again though it did not change.

    - ``last``: prints of the models that scored the pairs of the last run; all records where that is not ``model``
    - ``changed``: records that are new, gone or other than at the last run
    """
    if set(last) == {model.print}:
        return pa.table({"record": crossed(records, model.keys, changed)})
    with opened(records) as connection:
        return connection.sql("select record from prepared").to_arrow_table()


def rescore(records: Records, model: Model, asked: pa.ChunkedArray | None, **how: Any) -> pa.Table:
    """The pairs of the records that are ``asked`` about, or all, with the print of the ``model`` that scored them.

    - with the pairs of the last run of which neither record is asked about, they are those of a whole run, where asked
      about are the records that changed, those that rules join otherwise, and those that ``turned``
    - ``how``: ``at_least`` and ``settled`` of ``score``, the same as at the last run

    Raises ``ContractError`` when a column is missing or a record is there twice.
    """
    pairs = score(records, model, only=asked, **how)
    return pairs.append_column("model", pa.repeat(model.print, len(pairs)))
