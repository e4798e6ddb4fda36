"""People as each advertising platform wants them: normalised by its own rules, hashed where it hashes."""

from __future__ import annotations

from snello.identifiers.platforms.google import GOOGLE
from snello.identifiers.platforms.linkedin import LINKEDIN
from snello.identifiers.platforms.meta import META
from snello.identifiers.platforms.pinterest import PINTEREST
from snello.identifiers.platforms.platform import Platform, Prepared
from snello.identifiers.platforms.tiktok import TIKTOK
from snello.identifiers.platforms.x import X

PLATFORMS = {platform.name: platform for platform in (META, GOOGLE, X, LINKEDIN, TIKTOK, PINTEREST)}

__all__ = ["GOOGLE", "LINKEDIN", "META", "PINTEREST", "PLATFORMS", "TIKTOK", "Platform", "Prepared", "X"]
