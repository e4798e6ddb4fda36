"""What enhanced status codes (RFC 3463) mean for the address that they are about."""

from __future__ import annotations

NOBODY = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})


def bad_address(code: str) -> bool:
    """Whether there is nobody at the address, and will be nobody tomorrow: no policy, no size, no full mailbox."""
    return code in NOBODY
