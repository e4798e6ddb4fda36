"""``snello suppress``: send nothing more to a person or an address."""

from __future__ import annotations

from typing import Annotated

import typer

from snello.cli.screen import Json, show
from snello.errors import ConfigError


def command(
    whom: Annotated[str | None, typer.Argument(help="A customer_id, an e-mail address or a telephone number.")] = None,
    channel: Annotated[str, typer.Option(help="email, sms, phone, post or ads; any: all of them.")] = "any",
    reason: Annotated[str, typer.Option(help="Why; it is kept with the decision.")] = "",
    lift: Annotated[bool, typer.Option("--lift", help="Take the entry back, of one channel or of any.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="List the entries.")] = False,
    author: Annotated[str, typer.Option(help="Who decides. Default: the user of the system.")] = "",
    as_json: Json = False,
) -> None:
    """Send nothing more to a person or an address, whatever they consented to; what channels hold of them goes.

    An address is kept as its keyed hash alone.
    """
    from snello import settings
    from snello.activation.suppressions import Decision
    from snello.cli.suppress import deciding

    if listing == (whom is not None):
        raise ConfigError("suppress", "give a person or --list, one of the two", "run `snello suppress --help`")
    if whom is None:
        rows = deciding.listed(settings.load())
        show(rows, deciding.list_page(rows), as_json=as_json)
        return
    decided = deciding.decide(settings.load(), whom, Decision(channel, reason, author), lift=lift)
    show(decided, deciding.page(decided), as_json=as_json)
