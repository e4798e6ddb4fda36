"""How likely two records are one person: compared by Splink, learned without labels, relatives told apart.

    model = train(records)
    pairs = score(records, model, at_least=0.5)

``records`` is a table with the columns of ``COLUMNS``; only ``record`` must be known. ``Prepared`` are such records
made ready before, which every function takes in their place. With a kept model the score of a
pair depends on its two records and the model, on nothing else.
"""

from snello.identity.likelihood.comparisons import settings_print
from snello.identity.likelihood.keeping import current
from snello.identity.likelihood.model import Model
from snello.identity.likelihood.records import COLUMNS, Prepared, prepare
from snello.identity.likelihood.rescoring import rescore, turned
from snello.identity.likelihood.scoring import score
from snello.identity.likelihood.training import FLOOR, train

__all__ = [
    "COLUMNS",
    "FLOOR",
    "Model",
    "Prepared",
    "current",
    "prepare",
    "rescore",
    "score",
    "settings_print",
    "train",
    "turned",
]
