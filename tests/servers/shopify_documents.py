"""Every document that tap-shopify can send, found in its code."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from inspect import getmembers, ismethod, signature

import tap_shopify
from tap_shopify.listing import Listing

NAMED = re.compile(r"\s*(query|mutation|subscription)\b")
SEARCH = "updated_at:>='2026-01-01T00:00:00Z'"


def documents() -> dict[str, str]:
    """Documents by where they come from: texts that begin as one, and what each listing writes."""
    found: dict[str, str] = {}
    for part in pkgutil.iter_modules(tap_shopify.__path__, "tap_shopify."):
        for name, value in vars(importlib.import_module(part.name)).items():
            if isinstance(value, str) and NAMED.match(value):
                found[name] = value
            elif isinstance(value, Listing):
                found |= {f"{name}.{way}": text for way, text in _written(value)}
    return found


def _written(listing: Listing) -> Iterator[tuple[str, str]]:
    """What each public method of a listing writes; one that takes a search, without one and with one."""
    for name, write in getmembers(listing, ismethod):
        if name.startswith("_") or (name == "more_lines" and not listing.line):
            continue
        if signature(write).parameters:
            yield f"{name}()", write(None)
            yield f"{name}(search)", write(SEARCH)
        else:
            yield name, write()
