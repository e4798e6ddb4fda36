"""What a platform of advertising is sent of a value, as DuckDB functions: ``hashed_email(value, 'meta')``.

One function a column, the platform as its last argument; the same rules as ``Platform.prepare``. What the platform
takes in clear is in clear, and a platform that has no field for the column answers null.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from snello.identifiers.platforms import PLATFORMS
from snello.identifiers.platforms.places import iso_country
from snello.identifiers.platforms.platform import Rule

_PARTS = {"DOBY": "birth_year", "DOBM": "birth_month", "DOBD": "birth_day"}


def _by_function() -> dict[str, dict[str, Rule]]:
    """Function → platform → rule. A column of several fields has a function for each."""
    found: dict[str, dict[str, Rule]] = {}
    for platform in PLATFORMS.values():
        for rule in platform.rules:
            found.setdefault(f"hashed_{_PARTS.get(rule.field, rule.column)}", {})[platform.name] = rule
    return found


HASHED = _by_function()
"""Function → platform → rule."""
COUNTRY = frozenset(name for name, rules in HASHED.items() if any(rule.by_country for rule in rules.values()))
"""The functions that are asked for the person's country between value and platform."""


def register_hashed(connection: duckdb.DuckDBPyConnection, known: set[str]) -> None:
    """Make the functions known to every cursor of the connection's database, but for those that are ``known``."""
    for name, rules in HASHED.items():
        if name in known:
            continue
        arity = 3 if name in COUNTRY else 2
        connection.create_function(
            name,
            _taking(arity, partial(_sent, rules)),
            ["VARCHAR"] * arity,
            "VARCHAR",
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )


def _taking(arity: int, each: Callable[..., pa.Array]) -> Callable[..., pa.Array]:
    # DuckDB counts the parameters of what it is given, so the number must be real.
    def of_a_value(value: pa.ChunkedArray, platform: pa.ChunkedArray) -> pa.Array:
        return each(value, platform)

    def of_a_place(value: pa.ChunkedArray, country: pa.ChunkedArray, platform: pa.ChunkedArray) -> pa.Array:
        return each(value, platform, country)

    return of_a_value if arity == 2 else of_a_place


def _sent(
    rules: dict[str, Rule],
    values: pa.ChunkedArray,
    platforms: pa.ChunkedArray,
    countries: pa.ChunkedArray | None = None,
) -> pa.Array:
    places = countries.to_pylist() if countries is not None else [None] * len(values)
    rows = list(zip(values.to_pylist(), platforms.to_pylist(), places, strict=True))
    answers = {row: _one(rules, *row) for row in set(rows)}
    return pa.array([answers[row] for row in rows], pa.string())


def _one(rules: dict[str, Rule], value: str | None, platform: str | None, country: str | None) -> str | None:
    rule = rules.get(platform or "")
    if rule is None:
        return None
    return rule.sent(value, iso_country(country or "") or "") if rule.by_country else rule.sent(value)
