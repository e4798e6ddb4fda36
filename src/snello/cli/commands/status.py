"""``snello status``: what ran last, what came in and went out, and how fresh it is."""

from __future__ import annotations

from snello.cli.screen import Json, show


def command(as_json: Json = False) -> None:
    """Show the last runs: rows in, rows out, rows refused, freshness.

    Leaves with exit code 5 when a last run refused a larger share of its rows than SNELLO_REFUSED_TOLERANCE.
    """
    from snello import settings
    from snello.cli.status import page, reading

    status = reading.read(settings.load())
    show(status, page.page(status), as_json=as_json)
    status.judge()
