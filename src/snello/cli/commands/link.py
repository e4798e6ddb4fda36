"""``snello link``: decide that two records are one person."""

from __future__ import annotations

from typing import Annotated

import typer

from snello.cli.screen import Json, show


def command(
    one: Annotated[
        str, typer.Argument(help="A source/stream/key, a customer_id, or an identifier that one customer alone has.")
    ],
    other: Annotated[str, typer.Argument(help="The other one, named in the same way.")],
    reason: Annotated[str | None, typer.Option(help="Why; asked for on a terminal.")] = None,
    author: Annotated[str | None, typer.Option(help="Who decides. Default: git's user.name, else the user.")] = None,
    as_json: Json = False,
) -> None:
    """Decide that two records are one person; every later run keeps to it.

    Refused when the two contradict each other, are one already, or are kept apart by a decision.
    """
    from snello.cli.identity import deciding

    decided = deciding.link(one, other, author, reason)
    show(decided, deciding.page(decided), as_json=as_json)
