"""``snello why``: the whole chain behind one customer."""

from __future__ import annotations

from typing import Annotated

import typer

from snello.cli.screen import Json, show


def command(
    customer: Annotated[
        str, typer.Argument(help="A customer_id, e-mail, phone, tax code, card number, or source/stream/key.")
    ],
    segment: Annotated[str | None, typer.Option(help="Only this segment and the syncs that serve it.")] = None,
    as_json: Json = False,
) -> None:
    """Show why: rows, joins, values, roles, segments, consent and receipts of one customer."""
    from snello.cli.why import answer, page

    found = answer.answer(customer, segment)
    show(found, page.page(found) if isinstance(found, answer.Chain) else page.several(found), as_json=as_json)
