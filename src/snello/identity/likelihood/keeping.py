"""When a kept model still serves, and when one is learned anew."""

from __future__ import annotations

import pyarrow as pa

from snello.identity.likelihood.model import Model
from snello.identity.likelihood.records import Records
from snello.identity.likelihood.training import FLOOR, train

_GROWN = (
    4  # times the records that a model was made for: how likely two records are one person has then changed too far
)


def current(records: Records, kept: pa.Table, *, retrain: bool = False) -> Model:
    """The kept model, or one made for these records.

    - ``kept``: the row that ``Model.to_table`` gave, or none
    - a model is made anew when there is none, when other things are compared now, when the records have become several
      times as many, when they have become enough to learn from, or when asked to

    Raises ``ContractError`` when the kept row is no model.
    """
    if retrain or not len(kept):
        return train(records)
    model = Model.from_table(kept)
    count = len(records)
    outgrown = count > _GROWN * max(model.records, FLOOR) or model.records < FLOOR <= count
    return train(records) if outgrown or not model.fits else model
