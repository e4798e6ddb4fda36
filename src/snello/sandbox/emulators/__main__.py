"""Run one emulator as a daemon: ``python -m snello.sandbox.emulators brevo --home demo --port 8472``."""

from __future__ import annotations

import argparse
import signal
import threading
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path

from starlette.types import ASGIApp

from snello.sandbox.daemons import claim
from snello.sandbox.emulators.serving import serve
from snello.sandbox.emulators.watch import Weather
from snello.sandbox.ports import EMULATORS

IMPORT_SECONDS = 0.3


def _app(service: str, home: Path, weather: Weather) -> ASGIApp:
    """The service's application; imported alone, for a dozen of them start at once."""
    state = home / "emulators"
    state.mkdir(parents=True, exist_ok=True)
    about = str(home.resolve())
    store = state / f"{service}.db"
    match service:
        case "shop":
            from snello.sandbox.emulators.shop import shop

            return shop(home / "company", weather=weather)
        case "brevo":
            from snello.sandbox.emulators.brevo import brevo

            return brevo(store, import_seconds=IMPORT_SECONDS, weather=weather, home=about)
        case "mail":
            from snello.sandbox.emulators.mail import Letters, mail

            return mail(Letters(state / "mail"), home=about)
        case "suitecrm" | "erp" | "shopify" | "bluesky":  # the company's own systems
            named = "odoo" if service == "erp" else service
            company = import_module(f"snello.sandbox.emulators.{named}_company")
            system: ASGIApp = company.of_company(home / "company", weather=weather)
            return system
        case _:  # the others are called alike
            module = import_module(f"snello.sandbox.emulators.{service}")
            application: ASGIApp = getattr(module, service)(store, weather=weather, home=about)
            return application


def _besides(service: str, home: Path, port: int) -> AbstractContextManager[None]:
    """What a service does on the port after its own: the mail server takes letters there, whatever the weather."""
    if service != "mail":
        return nullcontext()
    from snello.sandbox.emulators.mail import Letters, taking

    return taking(Letters(home / "emulators" / "mail"), port + 1)


def main() -> None:
    """Serve until told to stop."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("service", choices=sorted(EMULATORS))
    arguments.add_argument("--home", type=Path, required=True)
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--limited", type=float, default=0.0)
    arguments.add_argument("--broken", type=float, default=0.0)
    given = arguments.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with (
        claim(given.home / "run" / f"{given.service}.pid"),
        serve(_app(given.service, given.home, Weather(given.limited, given.broken)), given.port),
        _besides(given.service, given.home, given.port),
    ):
        stopped.wait()


if __name__ == "__main__":
    main()
