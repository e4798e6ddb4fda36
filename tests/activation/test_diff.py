from __future__ import annotations

import duckdb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from snello.activation.diff import diff

KEYS = st.sampled_from([f"c{n}" for n in range(12)])
PRINTS = st.sampled_from(["f1", "f2", "f3"])
STATUSES = st.sampled_from(["delivered", "refused", "retrying", "dead", "in_doubt"])
ROWS = st.fixed_dictionaries(
    {
        "fingerprint": st.none() | PRINTS,
        "tried": st.none() | PRINTS,
        "status": STATUSES,
        "op": st.sampled_from(["upsert", "remove"]),
        "batch": st.none() | st.sampled_from(["b1", "b2"]),
    }
)
Ledger = dict[str, dict[str, str | None]]
DATABASE = duckdb.connect()
LAW = settings(max_examples=60, deadline=None)


def table(rows: list[dict[str, str | None]], names: str) -> pa.Table:
    return pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in names.split()})


def difference(
    want: dict[str, str],
    barred: set[str],
    ledger: Ledger,
    others: frozenset[str] = frozenset(),
    known: frozenset[str] = frozenset(),
) -> tuple[list[dict[str, str | None]], set[str]]:
    """The changes and the newly excluded; ``others`` consent without being members, ``known`` were kept back before."""
    rows = [{"key": key, **row} for key, row in ledger.items()]
    settled = [row for row in rows if (row["status"], row["op"]) == ("delivered", "upsert")]
    connection = DATABASE.cursor()  # temporary tables are its own
    for name, content in {
        "want": table(
            [{"key": k, "customer": k, "fingerprint": f} for k, f in want.items()], "key customer fingerprint"
        ),
        "excluded": connection.sql(
            "select k as key, k as customer, 'consent' as gate, 'no_consent' as code, "
            "false as keep from (select unnest($keys) as k)",
            params={"keys": sorted(barred)},
        ).to_arrow_table(),
        "barred": table([{"key": k, "code": "no_consent"} for k in {*barred, *ledger} - {*want, *others}], "key code"),
        "consented": table([{"key": key} for key in {*want, *others}], "key"),
        "held": table([{"key": key, "customer": key} for key in ledger], "key customer"),
        "known_exclusions": table(
            [{"key": k, "gate": "consent", "code": "no_consent"} for k in known], "key gate code"
        ),
        "settled": table(settled, "key fingerprint"),
        "unsettled": table([r for r in rows if r not in settled], "key fingerprint tried status op batch"),
    }.items():
        connection.register(name, content)
    figures = diff(connection, "mirror")
    changes = connection.sql("select * from changes").to_arrow_table().to_pylist()
    assert figures.changes == len(changes)
    assert figures.members == figures.upserts + figures.unchanged + figures.waiting
    barred_anew = {key for (key,) in connection.execute("select key from newly_excluded").fetchall()}
    connection.close()
    return changes, barred_anew


def consistent(ledger: Ledger) -> Ledger:
    """Rows as the ledger writes them: a delivered row holds what was tried."""
    for row in ledger.values():
        if row["status"] == "delivered":
            row["tried"] = row["fingerprint"] = (row["fingerprint"] or "f1") if row["op"] == "upsert" else None
    return ledger


@LAW
@given(
    st.dictionaries(KEYS, PRINTS),
    st.sets(KEYS),
    st.dictionaries(KEYS, ROWS).map(consistent),
    st.frozensets(KEYS),
    st.frozensets(KEYS),
)
def test_each_row_is_sent_exactly_when_the_rules_say_so(
    want: dict[str, str], barred: set[str], ledger: Ledger, others: frozenset[str], known: frozenset[str]
) -> None:
    barred -= set(want)
    others -= barred
    changes, newly_excluded = difference(want, barred, ledger, others, known)
    upserts = {c["key"] for c in changes if c["op"] == "upsert"}
    removals = {c["key"]: c["reason"] for c in changes if c["op"] == "remove"}
    for key, fingerprint in want.items():
        row = ledger.get(key, {})
        same = row.get("op") == "upsert" and (
            (row["status"] == "delivered" and row["fingerprint"] == fingerprint)
            or (row["status"] in ("refused", "dead") and fingerprint in (row["tried"], row["fingerprint"]))
        )
        assert (key in upserts) is not same
    for key, row in ledger.items():
        may_hold = row["fingerprint"] is not None or row["status"] in ("in_doubt", "retrying")
        assert (key in removals) is (may_hold and key not in want)
    assert {key for key, reason in removals.items() if reason == "no_consent"} == set(removals) - others
    assert newly_excluded == barred - known


@LAW
@given(st.dictionaries(KEYS, PRINTS), st.dictionaries(KEYS, PRINTS))
def test_applying_the_difference_to_what_is_held_gives_what_is_wanted(
    have: dict[str, str], want: dict[str, str]
) -> None:
    ledger: Ledger = {
        key: {"fingerprint": f, "tried": f, "status": "delivered", "op": "upsert", "batch": None}
        for key, f in have.items()
    }
    changes, _ = difference(want, set(), ledger)
    held = dict(have)
    for change in changes:
        if change["op"] == "remove":
            del held[str(change["key"])]
        else:
            held[str(change["key"])] = str(change["fingerprint"])
    assert held == want
    ledger = {
        key: {"fingerprint": f, "tried": f, "status": "delivered", "op": "upsert", "batch": None}
        for key, f in held.items()
    }
    assert difference(want, set(), ledger) == ([], set())
