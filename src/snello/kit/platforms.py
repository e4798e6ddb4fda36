"""People as each advertising platform wants them: ``META.prepare(rows)`` normalises and hashes by Meta's rules.

See ``snello.identifiers.platforms``; ``docs/guides/hashing.md`` tells which columns go where.
"""

from __future__ import annotations

from snello.identifiers.platforms import GOOGLE, LINKEDIN, META, PINTEREST, PLATFORMS, TIKTOK, Platform, Prepared, X

__all__ = ["GOOGLE", "LINKEDIN", "META", "PINTEREST", "PLATFORMS", "TIKTOK", "Platform", "Prepared", "X"]
