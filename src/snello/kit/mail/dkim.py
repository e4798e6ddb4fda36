"""Signatures (RFC 6376) for senders whose relay makes none; both headers of one-click unsubscription are signed."""

from __future__ import annotations

from dataclasses import dataclass, field

import dkim

from snello.errors import ConfigError

SIGNED = (
    b"from to reply-to subject date message-id mime-version content-type content-transfer-encoding "
    b"list-id list-unsubscribe list-unsubscribe-post feedback-id auto-submitted"
).split()


@dataclass(frozen=True)
class Signer:
    """Signs as ``domain``; the public key stands in DNS at ``<selector>._domainkey.<domain>``."""

    domain: str
    selector: str
    key: str = field(repr=False)

    def __call__(self, message: bytes) -> bytes:
        """The message with its signature in front. Raises ``ConfigError`` when the key is none."""
        try:
            signature = dkim.sign(
                message,
                self.selector.encode(),
                self.domain.encode(),
                self.key.encode(),
                canonicalize=(b"relaxed", b"relaxed"),
                include_headers=SIGNED,
            )
        except (dkim.DKIMException, ValueError):
            raise ConfigError("setting dkim.key", "it is no RSA key in PEM format", "give the private key") from None
        return bytes(signature) + message
