"""Loopback ports: which stand-in has which, whether one is free, and the sentence for when it is not."""

from __future__ import annotations

import socket

from snello.errors import ConfigError

HOST = "127.0.0.1"
CLOUDS = ("meta", "google", "mailchimp", "hubspot", "odoo")
SYSTEMS = ("suitecrm", "erp", "shopify", "bluesky")  # what the company keeps elsewhere, beside its shop
# by service, after the database's
EMULATORS = {"shop": 1, "brevo": 2, "webhook": 3, "mail": 4}
EMULATORS |= {name: 6 + place for place, name in enumerate((*CLOUDS, *SYSTEMS))}
SMTP = 5  # the port on which the mail server takes letters; those that it took are shown on its own


def free(port: int) -> bool:
    """Whether nothing listens on a loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def require_free(service: str, port: int) -> None:
    """Raise ``ConfigError`` when somebody else listens on the port."""
    if not free(port):
        raise ConfigError(service, f"port {port} is in use", "stop what listens there, or choose others with --port")
