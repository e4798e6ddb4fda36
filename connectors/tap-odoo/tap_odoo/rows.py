"""Rows as Odoo writes them, made plain."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from snello.kit.rest import Row


def plain(row: Row, kinds: Mapping[str, str], wanted: Collection[str]) -> Row:
    """What is pointed to as its number, with its name beside it where that is wanted; moments in ISO 8601."""
    made: Row = {}
    for name, value in row.items():
        kind = kinds.get(name)
        if kind == "many2one":
            made[name], shown = value or (None, None)
            named = f"{name.removesuffix('_id')}_name"
            if named in wanted:
                made[named] = shown
        else:
            made[name] = value.replace(" ", "T") if kind == "datetime" and value else value
    return made
