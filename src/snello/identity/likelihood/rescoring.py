"""Scores of one run brought to the next: only pairs of records that changed are scored again."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from snello.identity.likelihood.crossing import crossed
from snello.identity.likelihood.model import Model
from snello.identity.likelihood.records import Records
from snello.identity.likelihood.scoring import score


def rescore(
    records: Records,
    model: Model,
    kept: pa.Table | None,
    changed: pa.ChunkedArray,
    *,
    other: pa.ChunkedArray | None = None,
    **how: Any,
) -> pa.Table:
    """All pairs, with the ``model`` that scored them: those kept where neither record changed, the others scored.

    - ``kept``: what this function gave at the last run, or ``None`` to score everything
    - ``changed``: records that are new, gone or other than they were, or that rules join otherwise; ``other``: those of
      them that rules have no part in, by default all
    - ``how``: ``at_least`` and ``settled`` of ``score``, the same as at the last run

    Raises ``ContractError`` when a column is missing or a record is there twice.
    """
    if kept is None or not len(kept) or pc.unique(kept["model"]).to_pylist() != [model.print]:
        pairs = score(records, model, **how)
    elif not len(changed):
        return kept
    else:
        asked = pa.concat_arrays([*changed.chunks, crossed(records, model.keys, changed if other is None else other)])
        moved = pc.or_(*(pc.is_in(kept[side], value_set=asked) for side in ("left_record", "right_record")))
        scored = score(records, model, only=asked, **how)
        pairs = pa.concat_tables(
            [kept.filter(pc.invert(moved)).select(scored.column_names).cast(scored.schema), scored]
        )
    return pairs.append_column("model", pa.repeat(model.print, len(pairs)))
