"""The tables that ship with the package, each read once, when first asked for."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.resources import files


def rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of one shipped table; lines that start with ``#`` say where it comes from."""
    text = files("snello.identifiers").joinpath("data", f"{name}.csv").read_text(encoding="utf-8")
    return csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))


@cache
def birthplaces() -> dict[str, list[tuple[str, str]]]:
    """Cadastral code → names of the town or country, each with the last day it was in force (empty: still is)."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in rows("birthplaces"):
        found[row["code"]].append((row["until"], row["name"]))
    return dict(found)


def birthplace(code: str, born: date) -> str | None:
    """The name in force at a birth; ``None`` when the code was never given or was given no more."""
    for until, name in birthplaces().get(code, ()):
        if not until or born.isoformat() <= until:
            return name
    return None


@cache
def postcodes() -> dict[str, list[dict[str, str]]]:
    """Italian postcode → its places: ``place``, ``province``, ``town`` and ``old``, each ``1`` or ``0``.

    - ``town``: a municipality of its own today; ``old``: other postcodes serve the place now
    """
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows("postcodes"):
        found[row["postcode"]].append(row)
    return dict(found)


@cache
def provinces() -> dict[str, dict[str, str]]:
    """Two letters of a province → its ``name`` and ``region``."""
    return {row["code"]: row for row in rows("provinces")}


@cache
def given_names() -> frozenset[str]:
    """Given names of people in Italy, folded."""
    return frozenset(row["name"] for row in rows("given_names")) | words("given_name")


@cache
def nicknames() -> dict[str, frozenset[str]]:
    """Names that stand for one another, both ways: a given name and its short forms, folded."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows("nicknames"):
        for short in row["nicknames"].split():
            found[row["name"]].add(short)
            found[short].add(row["name"])
    return {name: frozenset(others) for name, others in found.items()}


def words(name: str) -> frozenset[str]:
    """One of the word lists, by its name."""
    return frozenset(row["word"] for row in rows("words") if row["list"] == name)
