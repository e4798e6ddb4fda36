"""The most that anybody could tell of who is who from what the records hold: judges who know the truth."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
from alone import components
from project import Project

from snello.identity.contradictions import Profile, contradiction, profile
from snello.sandbox.score import KEYS

# Every value that two records may share, whether the hub's rules use it or not.
_VALUES = """
    select record, kind || ':' || value as value from identity.usable_identifiers
    union all
    select record, 'address:' || street_key || '|' || postcode from identity.person_records
    where street_key is not null and postcode is not null
    union all
    select record, 'birth:' || coalesce(tax_code_birth_date, birth_date)::varchar from identity.person_records
    where coalesce(tax_code_birth_date, birth_date) is not null
"""
_MARKS = """
    select
        record, tax_code_canonical, birth_date::varchar, sex,
        case when first_key is not null or last_key is not null then concat(first_key, '|', last_key) end
    from identity.person_records
"""


def bounds(project: Project, truth: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Customers of three judges, each of whom joins whoever is one person and shares a value.

    - the first asks no more; the second never lets a customer hold what contradicts, as the hub must not; the third
      besides believes a value only where it is one person's alone in the whole lake
    """
    records = truth.select(*KEYS, "person_id", record=pl.concat_str(KEYS, separator="/")).with_row_index("row")
    held = project.table(_VALUES).unique().join(records, on="record").sort("row")
    own = held.filter(pl.col("person_id").n_unique().over("value") == 1)
    marks = {record: profile(*said) for record, *said in project.table(_MARKS).iter_rows()}
    every, alone = _joined(records, held), _joined(records, own)
    return {
        "truth, over equal values": _customers(every),
        "  without contradictions": _customers(_parted(every, marks)),
        "  that nobody else has": _customers(_parted(alone, marks)),
    }


def _joined(records: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    first = held.select("row", first=pl.col("row").first().over("person_id", "value"))
    found = components(first["row"].to_numpy(), first["first"].to_numpy(), records.height)
    return records.with_columns(part=pl.Series(found).cast(pl.String))


def _parted(records: pl.DataFrame, marks: dict[str, Profile]) -> pl.DataFrame:
    """Each customer in parts that hold no contradiction, the first as large as a greedy judge makes it."""
    several = records.filter(pl.len().over("part") > 1)
    names, parts = [], []
    for (_,), rows in several.group_by("part"):
        among = rows["record"].to_list()
        for number, part in enumerate(_agreeing([(name, marks.get(name, Profile())) for name in among])):
            names += part
            parts += [f"{rows['part'][0]}.{number}"] * len(part)
    found = pl.DataFrame({"record": names, "found": parts}, schema={"record": pl.String, "found": pl.String})
    return records.join(found, on="record", how="left").with_columns(part=pl.coalesce("found", "part"))


def _agreeing(records: Iterable[tuple[str, Profile]]) -> list[list[str]]:
    known = list(records)
    against = [sum(contradiction(mine, other) is not None for _, other in known) for _, mine in known]
    groups: list[list[tuple[str, Profile]]] = []
    for place in sorted(range(len(known)), key=against.__getitem__):
        name, mine = known[place]
        fits = (group for group in groups if all(contradiction(mine, other) is None for _, other in group))
        group = next(fits, None)
        if group is None:
            groups.append(group := [])
        group.append((name, mine))
    return [[name for name, _ in group] for group in groups]


def _customers(records: pl.DataFrame) -> pl.DataFrame:
    return records.select(*KEYS, customer_id="part")
