"""Stand-ins for the vendors' clouds, which keep to the vendors' published limits, errors and validation.

Each is an ASGI application: run it in a test with ``with serve(app) as url``, or as a daemon through
``snello.sandbox.up``. Each answers ``GET /_inspect``, which no vendor has, with what it holds and how often it was
called.
"""

from __future__ import annotations

from snello.sandbox.emulators.brevo import brevo
from snello.sandbox.emulators.mail import Letters, mail, taking
from snello.sandbox.emulators.serving import serve
from snello.sandbox.emulators.shop import shop
from snello.sandbox.emulators.watch import Weather
from snello.sandbox.emulators.webhook import webhook

__all__ = ["Letters", "Weather", "brevo", "mail", "serve", "shop", "taking", "webhook"]
