"""Stands for dbt's ``context`` while sqlfluff reads the models: a project of one source and one segment."""

from __future__ import annotations


def keys() -> list[str]:
    """The names by which sources and segments are found."""
    return ["shapes__crm", "segment__loyal"]


def shapes__crm() -> dict[str, list[str]]:
    """Which models give which shape: none."""
    return {}
