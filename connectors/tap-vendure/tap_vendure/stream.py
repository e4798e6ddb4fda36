"""What every list of the Admin API shares: all pages, in the order of ids, compared; amounts; refusals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from singer_sdk import Tap

from snello.kit.http import api_key
from snello.kit.rest import Answer, Compare, GraphQLStream, Row, offset
from snello.kit.rest.host import Host
from tap_vendure.money import digits_of, told_exactly
from tap_vendure.queries import listing
from tap_vendure.refusals import ERRORS, check_channel
from tap_vendure.session import SESSION

CHANNEL_HEADER, KEY_HEADER = "vendure-token", "vendure-api-key"


class VendureStream(GraphQLStream):
    """One list, in the order of ids: a row that changes while pages are read moves none of the others.

    Compared, not filtered: a server writes an order twice when its state changes, the second time with the moment that
    it had before, and what hangs on a row (a refund, an address, a group) never moves the row's own.

    - ``kind``: the type of its rows; ``fields``: what is asked of them
    """

    url_base, primary_keys, workers, compare = "{url}", ("id",), 4, Compare()
    errors = ERRORS
    kind: ClassVar[str] = ""
    fields: ClassVar[str] = ""

    def __init__(self, tap: Tap, host: Host, schema: dict[str, Any] | None = None, name: str | None = None) -> None:
        given = tap.config
        self.auth = api_key("key", header=KEY_HEADER) if given.get("key") else SESSION
        self.headers = {CHANNEL_HEADER: given["channel"]} if given.get("channel") else {}
        self.query = listing(self.name, self.kind, self.fields, (given.get("custom_fields") or {}).get(self.name, ()))
        self.records_jsonpath = f"$.data.{self.name}.items[*]"
        size, total = given.get("page_size") or 100, f"$.data.{self.name}.totalItems"
        self.paging = offset("skip", limit=("take", size), total_rows=total, in_body=True)
        super().__init__(tap, host, schema, name)

    def check(self, answer: Answer) -> None:
        """Raise for an error inside a success; an unknown channel is a setting."""
        check_channel(answer, self.where)
        super().check(answer)

    def rows(self, answer: Answer) -> list[Row]:
        """The rows, their amounts as decimal texts."""
        usual = digits_of(answer.document)
        special: Mapping[str, int] = self.config.get("money_digits") or {}
        return [told_exactly(row, special.get(row.get("currencyCode", ""), usual)) for row in super().rows(answer)]
