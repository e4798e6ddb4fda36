"""The severe set, whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl
import pyarrow as pa

from snello.errors import ConfigError
from snello.sandbox.draw import Draw
from snello.sandbox.families.people import make_people
from snello.sandbox.families.records import write_down

AS_OF = datetime(2026, 10, 1, tzinfo=UTC)
MOST_PEOPLE = 20_000_000


@dataclass(frozen=True)
class Families:
    """People and what was written down of them.

    - ``people``: one row a person, ``person_id`` its number; ``household_id`` says who is family
    - ``records``: one row a record, in the columns of the shape ``person_observed`` after ``source``
    - ``truth``: one row a record: ``person_id``, and what was bent in it
    """

    people: pl.DataFrame
    records: pl.DataFrame
    truth: pl.DataFrame

    def shapes(self) -> dict[str, dict[str, pa.Table]]:
        """The records as a lake holds them: by source, in the shape ``person_observed``."""
        parts = self.records.partition_by("source", as_dict=True, include_key=False)
        return {str(source): {"person_observed": part.to_arrow()} for (source,), part in sorted(parts.items())}


def make_families(people: int = 100_000, seed: int = 20_261) -> Families:
    """Draw ``people`` and their two and a half records each; the same size and seed give the same set.

    Raises ``ConfigError`` for fewer than 100 people or more than twenty million.
    """
    if not 100 <= people <= MOST_PEOPLE:
        raise ConfigError("families", f"{people} people", f"ask for 100 to {MOST_PEOPLE}")
    everybody = make_people(people, Draw(seed, "families", AS_OF))
    return Families(everybody, *write_down(everybody, Draw(seed, "families.records", AS_OF)))
