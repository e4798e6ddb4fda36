"""Taking a person's rows out of the live files of the lake."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from snello.cli.subject.needles import Needles, listed_condition, published_condition, quoted
from snello.cli.subject.planning import KEPT_TABLES
from snello.cli.subject.rawrows import raw_tables
from snello.identifiers import hash_key
from snello.lake import Lake
from snello.lake.erasure import Change, erase_published, erase_rows


def forget_raw(lake: Lake, needles: Needles, erasure: str, kept: Collection[tuple[str, str]]) -> int:
    """Delete the person's rows of every raw table and quarantine but those of streams that are kept; how many."""
    gone = 0
    for table in raw_tables(lake, needles):
        if (table.source, table.stream) in kept or not needles.count(lake.scan_sql(table.uri), table.condition):
            continue
        keys = [key for key in table.keys if key in table.columns]
        gone += erase_rows(table.uri, erasure, _without(needles, table.condition), keys)
    return gone


def forget_published(lake: Lake, needles: Needles, erasure: str, salt: str) -> int:
    """Delete the person's rows of every published table; how many.

    - refusals stay, by hashes alone: the source row that they came from is named by its hash as well
    - in a list of records the person's are left out
    """
    current = lake.manifest()
    gone = 0
    for name in sorted(current.tables if current else ()):
        scan = lake.published_sql(name)
        columns = needles.columns(scan)
        whole, listed = published_condition(columns), listed_condition(columns)
        if not needles.count(scan, f"{whole} or {listed}"):
            continue
        if name == "consent_suppressions":
            gone += erase_published(lake.root, erasure, name, _nameless(needles, whole, salt))
        elif name not in KEPT_TABLES:
            lists = [column for column, kind in columns.items() if kind == "VARCHAR[]"]
            gone += erase_published(lake.root, erasure, name, _without(needles, whole, lists))
    return gone


def _without(needles: Needles, condition: str, lists: Collection[str] = ()) -> Change:
    def change(part: pa.Table) -> pa.Table:
        hit = needles.mask(part, condition)
        left = part.filter(pc.invert(hit)) if hit.true_count else part
        for column in lists:
            left = _shortened(needles, left, column)
        return left

    return change


def _shortened(needles: Needles, part: pa.Table, column: str) -> pa.Table:
    if not needles.mask(part, f"list_has_any({quoted(column)}, (select list(name) from names))").true_count:
        return part
    names = set(needles.person.names)
    lists = [None if said is None else [one for one in said if one not in names] for said in part[column].to_pylist()]
    field = part.schema.field(column)
    return part.set_column(part.schema.get_field_index(column), field, pa.array(lists, field.type))


def _nameless(needles: Needles, condition: str, salt: str) -> Change:
    def change(part: pa.Table) -> pa.Table:
        hit = needles.mask(part, condition)
        if not hit.true_count:
            return part
        said = zip(
            hit.to_pylist(), *(part[name].to_pylist() for name in ("source", "stream", "record_key")), strict=True
        )
        keys = [f"erased {hash_key('/'.join(name), salt)}" if hidden else name[2] for hidden, *name in said]
        place = part.schema.get_field_index("record_key")
        return part.set_column(place, part.schema.field(place), pa.array(keys, pa.string()))

    return change
