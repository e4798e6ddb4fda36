"""The diff on relations made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from snello.activation.diff import Figures, diff

Row = dict[str, str | None]
Ledger = dict[str, Row]
DATABASE = duckdb.connect()
HELD = {"status": "delivered", "op": "upsert", "batch": None}


@dataclass
class Ground:
    """What differs: ``barred`` and ``stays`` are kept back, and what is held of ``stays`` may remain."""

    want: Mapping[str, str] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=dict)
    barred: frozenset[str] = frozenset()
    stays: frozenset[str] = frozenset()
    erased: frozenset[str] = frozenset()
    overdue: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)

    def who(self, key: str) -> str:
        """The customer who is known by a key now."""
        return self.aliases.get(key, key)


@dataclass
class Difference:
    """The changes in the order in which they travel, and who is kept back anew."""

    changes: list[Row]
    newly_excluded: set[str]
    figures: Figures

    @property
    def upserts(self) -> dict[str, Row]:
        return {str(change["key"]): change for change in self.changes if change["op"] == "upsert"}

    @property
    def removals(self) -> dict[str, str]:
        return {str(change["key"]): str(change["reason"]) for change in self.changes if change["op"] == "remove"}


def table(rows: list[dict[str, str | None]], names: str) -> pa.Table:
    return pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in names.split()})


def difference(ground: Ground, mode: str = "mirror") -> Difference:
    """What the diff makes of it."""
    rows = [{"key": key, **row} for key, row in ground.ledger.items()]
    settled = [row for row in rows if (row["status"], row["op"]) == ("delivered", "upsert")]
    connection = DATABASE.cursor()  # temporary tables are its own
    excluded: list[Row] = [
        {"key": key, "customer": key, "gate": "g", "code": "kept_back", "keep": str(key in ground.stays).lower()}
        for key in ground.barred | ground.stays
    ]
    members: list[Row] = [{"key": key, "customer": key, "fingerprint": print_} for key, print_ in ground.want.items()]
    as_held: list[Row] = [
        {"key": row["key"], "customer": row["key"], "fingerprint": row["fingerprint"]} for row in settled
    ]
    kept: list[Row] = [
        {"key": key, "customer": key, "fingerprint": ground.ledger[key]["fingerprint"] or "f1"}
        for key in ground.stays
        if key in ground.ledger
    ]
    for name, content in {
        "want": table(members, "key customer fingerprint"),
        "printed": table(members + kept, "key customer fingerprint"),
        "members": table(members + excluded, "key customer"),
        "excluded": connection.from_arrow(table(excluded, "key customer gate code keep"))
        .project("key, customer, gate, code, keep::boolean as keep")
        .to_arrow_table(),
        "barred": table(
            [
                {"key": key, "code": "kept_back"}
                for key in ground.barred | {key for key in ground.ledger if ground.who(key) in ground.barred}
            ],
            "key code",
        ),
        "consented": table([{"key": key} for key in ground.want], "key"),
        "held": table([{"key": key, "customer": ground.who(key)} for key in ground.ledger], "key customer"),
        "leavers": table(
            [{"key": key, "customer": ground.who(key)} for key in ground.ledger if key not in ground.want],
            "key customer",
        ),
        "unsent": table([one for one in members if one not in as_held], "key customer fingerprint"),
        "unmatched": table([one for one in as_held if one not in members], "key fingerprint"),
        "known_exclusions": table(
            [{"key": key, "gate": "g", "code": "kept_back"} for key in ground.known], "key gate code"
        ),
        "settled": table(settled, "key fingerprint"),
        "unsettled": table([row for row in rows if row not in settled], "key fingerprint tried status op batch"),
        "aliases": table([{"key": old, "customer": new} for old, new in ground.aliases.items()], "key customer"),
        **{
            name: table([{"key": key} for key in getattr(ground, name)], "key")
            for name in ("erased", "overdue", "absent")
        },
    }.items():
        connection.register(name, content)
    figures = diff(connection, mode)
    changes = connection.sql("select * from changes order by rank, key").to_arrow_table().to_pylist()
    anew = {key for (key,) in connection.execute("select key from newly_excluded").fetchall()}
    connection.close()
    return Difference(changes, anew, figures)


def delivered(rows: Mapping[str, str]) -> Ledger:
    """A ledger in which the channel holds these rows as they were meant."""
    return {key: {"fingerprint": print_, "tried": print_, **HELD} for key, print_ in rows.items()}


def consistent(ledger: Ledger) -> Ledger:
    """Rows as a ledger writes them: a delivered row holds what was tried."""
    for row in ledger.values():
        if row["status"] == "delivered":
            row["tried"] = row["fingerprint"] = (row["fingerprint"] or "f1") if row["op"] == "upsert" else None
    return ledger
