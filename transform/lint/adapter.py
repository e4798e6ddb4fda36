"""Stands for dbt's ``adapter`` while sqlfluff reads the models: a phrase of an engine is a function of its name."""

from __future__ import annotations

from collections.abc import Callable


def dispatch(name: str) -> Callable[..., str]:
    """The phrase ``name`` as a call of a function; what is no SQL of its own (a path, a key) becomes a text."""
    return lambda *arguments: f"{name}({', '.join(map(_argument, arguments))})"


def _argument(value: object) -> str:
    text = str(value)
    return f"'{text}'" if text.startswith(("$", "_")) else text
