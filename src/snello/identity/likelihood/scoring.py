"""Pairs with their probability: Splink's score, less what the two would share as relatives."""

from __future__ import annotations

import math
from collections.abc import Iterable

import duckdb
import pyarrow as pa

from snello.identity.likelihood.comparisons import (
    ALIKE,
    COMPARISONS,
    CROSSED,
    HOUSEHOLD,
    MARRIED,
    OWN,
    PLACE,
    TERMS,
    column,
    gammas,
)
from snello.identity.likelihood.model import Levels, Model
from snello.identity.likelihood.pairs import meet
from snello.identity.likelihood.records import Records, opened
from snello.identity.likelihood.vectors import compare

PAIRS = pa.schema(
    [
        ("left_record", pa.string()),
        ("right_record", pa.string()),
        ("probability", pa.float64()),
        ("weight", pa.float64()),
        ("evidence", pa.string()),
    ]
)


def score(
    records: Records,
    model: Model,
    *,
    at_least: float = 0.5,
    only: Iterable[str] | pa.Array | pa.ChunkedArray | None = None,
    settled: pa.Table | None = None,
) -> pa.Table:
    """Pairs that are one person with a probability of ``at_least``, with the columns of ``PAIRS``.

    - ``weight``: bits of evidence, the prior in it; ``evidence``: the levels that speak, without any value
    - ``only``: pairs of which at least one record is among these
    - ``settled``: ``left_record, right_record`` that need no score; nor do two records that both have a tax code

    Raises ``ContractError`` when a column is missing or a record is there twice.
    """
    if len(records) < 2:
        return PAIRS.empty_table()
    with opened(records) as connection:
        if not meet(connection, model.keys, only, settled):
            return PAIRS.empty_table()
        return _scored(connection, compare(connection, "pairs", model, _logit(at_least)), model, at_least)


def _scored(connection: duckdb.DuckDBPyConnection, predicted: str, model: Model, at_least: float) -> pa.Table:
    relatives = " + ".join(_lookup(name, _bits(model.relative, model.stranger, name)) for name in HOUSEHOLD)
    neighbours = " + ".join(_lookup(name, _bits(model.neighbour, model.stranger, name)) for name in PLACE)
    # A rare surname tells strangers apart, not relatives: what Splink added for it is taken out of their share.
    rarity = f"coalesce(mw_tf_adj_{column('family name')}, 0)"
    alike = " + ".join(_alike(name) for name in ALIKE)
    strangers = 1 - model.prior - model.kin - model.near
    kinship = f"{model.kin / strangers!r} * pow(2, {relatives} + {rarity})"
    vicinity = f"{model.near / strangers!r} * pow(2, {neighbours})"
    return (
        connection.sql(
            f"""
        with weighed as (
            select
                *,
                match_weight - ({alike}) - log2(1 + {kinship} + {vicinity}) as weight
            from {predicted}
        )
        select
            l.record as left_record,
            r.record as right_record,
            1 / (1 + pow(2, -weight)) as probability,
            weight,
            concat_ws(', ', {", ".join(_said(name) for name in COMPARISONS)}) as evidence
        from weighed
        inner join prepared as l on weighed.id_l = l.id
        inner join prepared as r on weighed.id_r = r.id
        where weight >= {_logit(at_least)!r} and {_told(model)}
        order by left_record, right_record
        """
        )
        .to_arrow_table()
        .cast(PAIRS)
    )


def _told(model: Model) -> str:
    """A condition: something beside names speaks for one person, and no more than chance says of a town or a home.

    Where nobody has relatives, two surnames at one home are one surname with mistakes.
    """
    families = model.kin > 1e-9 * model.prior
    common = (*TERMS, "town", "postcode", "sex") if families else TERMS
    beside = f"greatest({', '.join(_spoken(name) for name in COMPARISONS if name not in common)}) > 0"
    if not families:
        return beside
    own, home = (" or ".join(f"({_at(name, levels)})" for name, levels in given.items()) for given in MARRIED)
    own = f"{own} or ({_at('birth date', OWN['birth date'])} and ({home}))"
    alike = f"not ({_at('family name', ('far', 'somewhat alike'))}) or {_at('given name', CROSSED)}"
    return f"{beside} and ({alike} or {own})"


def _spoken(name: str) -> str:
    """The bits that a comparison gives."""
    return f"mw_{column(name)}" + (f" - {_alike(name)}" if name in ALIKE else "")


def _alike(name: str) -> str:
    """The bits to take away from values that are only alike, where nothing says that they are one with a slip."""
    levels, held = ALIKE[name]
    beside = " or ".join(f"({_at(other, shared)})" for other, shared in held.items())
    return f"greatest(mw_{column(name)}, 0) * ({_at(name, levels)} and not ({beside or 'false'}))::int"


def _at(name: str, levels: Iterable[str]) -> str:
    """A condition: two records are on one of these levels of a comparison."""
    places = [str(gamma) for gamma, (label, _) in zip(gammas(name), COMPARISONS[name], strict=True) if label in levels]
    return f"gamma_{column(name)} in ({', '.join(places)})"


def _logit(probability: float) -> float:
    bounded = min(max(probability, 1e-12), 1 - 1e-12)
    return math.log2(bounded / (1 - bounded))


def _bits(some: Levels, stranger: Levels, name: str) -> list[float]:
    return [
        math.log2(share / other) if place else 0.0
        for place, (share, other) in enumerate(zip(some[name], stranger[name], strict=True))
    ]


def _lookup(name: str, values: list[float]) -> str:
    whens = " ".join(f"when {gamma} then {value!r}" for gamma, value in zip(gammas(name), values, strict=True))
    return f"case gamma_{column(name)} {whens} end"


def _said(name: str) -> str:
    whens = " ".join(
        f"when {gamma} then '{name}: {label}'"
        for gamma, (label, _) in zip(gammas(name), COMPARISONS[name], strict=True)
        if gamma >= 0
    )
    return f"case gamma_{column(name)} {whens} end"
