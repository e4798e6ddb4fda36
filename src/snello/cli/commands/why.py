"""``snello why``: the whole chain behind one customer, one field of it, or what is between two."""

from __future__ import annotations

from typing import Annotated

import typer

from snello.cli.screen import Json, show


def command(
    customer: Annotated[
        str, typer.Argument(help="A customer_id, e-mail, phone, tax code, card number, or source/stream/key.")
    ],
    field: Annotated[
        str | None,
        typer.Argument(
            metavar="FIELD|OTHER",
            help="One field: its candidates and what decided. Or another customer or record: why they are one or two.",
        ),
    ] = None,
    purpose: Annotated[str | None, typer.Option(help="The field as this purpose may know it.")] = None,
    segment: Annotated[str | None, typer.Option(help="Only this segment and the syncs that serve it.")] = None,
    as_json: Json = False,
) -> None:
    """Show why: rows, joins, values, roles, segments, consent and receipts of one customer.

    With a second customer or record: why the two are one person, or what stands between them.
    """
    from snello.cli.why import answer, field_page, page, two_page

    two = answer.answer_two(customer, field) if field is not None and purpose is None else None
    if two is not None:
        show(two, two_page.page(two), as_json=as_json)
        return
    if field is not None:
        told = answer.answer_field(customer, field, purpose)
        show(told, field_page.page(told) if isinstance(told, answer.Field) else page.several(told), as_json=as_json)
        return
    found = answer.answer(customer, segment, purpose)
    show(found, page.page(found) if isinstance(found, answer.Chain) else page.several(found), as_json=as_json)
