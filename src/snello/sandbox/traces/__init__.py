"""What people leave behind in each source, one module a source."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from snello.sandbox.draw import Ints


@dataclass
class Traces:
    """The records of one source.

    - ``tables``: rows by stream, as the source keeps them
    - ``truth``: who each record speaks of, a frame a stream
    """

    source: str
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    truth: list[pl.DataFrame] = field(default_factory=list)

    def speaks(self, stream: str, keys: pl.Series, who: Ints | pl.Series) -> None:
        """Note that the records ``keys`` speak of the persons ``who`` (null: of a stranger)."""
        frame = pl.DataFrame({"record_key": keys.cast(pl.String), "person_id": pl.Series(who, dtype=pl.Int64)})
        self.truth.append(
            frame.select(
                source=pl.lit(self.source), stream=pl.lit(stream), record_key="record_key", person_id="person_id"
            )
        )


def shuffled(size: int, rng: np.random.Generator) -> Ints:
    """A random order, so that no key tells the order in which people were made."""
    return rng.permutation(size)
