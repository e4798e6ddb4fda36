"""Stands for dbt's ``run_started_at`` while sqlfluff reads the models."""

from __future__ import annotations


def isoformat() -> str:
    """A moment."""
    return "2026-01-01T00:00:00+00:00"
