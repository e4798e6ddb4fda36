"""Stands for dbt's ``model`` while sqlfluff reads the models."""

from __future__ import annotations

from typing import Any

config: dict[str, Any] = {"meta": {"sync": {"purpose": "email_marketing", "channel": "email"}}}
