"""What every endpoint of Medusa's Admin API shares: credentials, pages, the fields that are asked for."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from singer_sdk import Tap

from snello.kit.http import session_login
from snello.kit.http.auth import Fixed
from snello.kit.rest import Answer, Ask, Request, RestStream, Row, offset
from snello.kit.rest.host import Host

KEY = Fixed(("key",), lambda key: "Basic " + b64encode(f"{key}:".encode()).decode())
LOGIN = session_login("/auth/user/emailpass", {"email": "{user}", "password": "{password}"}, token="$.token")


class MedusaStream(RestStream):
    """What every endpoint shares: the key or the login, and pages of 100 in the order of keys, four at once.

    - ``records_at``: the field of the answer that holds the rows; the stream's name where none is given
    - ``asked``: what is asked for in the place of a field; rows of one moment have no order, so no page is cut by it
    """

    url_base, workers, primary_keys = "{url}/admin", 4, ("id",)
    params, paging = "order=id", offset("offset", ("limit", 100), total_rows="$.count")
    records_at = ""
    asked: ClassVar[Mapping[str, str]] = {}

    def __init__(self, tap: Tap, host: Host, schema: dict[str, Any] | None = None, name: str | None = None) -> None:
        self.auth = KEY if tap.config.get("key") else LOGIN
        self.records_jsonpath = f"$.{self.records_at or self.name}[*]"
        super().__init__(tap, host, schema, name)

    def request(self, ask: Ask, context: Mapping[str, Any], begin: Any) -> Request:
        """A page, with the fields that the schema declares: codes that are as good as money are not asked for."""
        own = [name for name in self.schema["properties"] if not name.startswith("_")]
        asked = super().request(ask, context, begin)
        return replace(asked, params={**asked.params, "fields": ",".join(self.asked.get(name, name) for name in own)})

    def rows(self, answer: Answer) -> list[Row]:
        """The records, without the second writing of each amount that Medusa puts beside it."""
        return [_plain(row) for row in super().rows(answer)]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if not name.startswith("raw_")}
    return [_plain(each) for each in value] if isinstance(value, list) else value


class Changing(MedusaStream):
    """Rows whose moment of change is truthful."""

    replication_key, since, since_format = "updated_at", "updated_at[$gte]", "%Y-%m-%dT%H:%M:%S.%fZ"
    overlap = timedelta(minutes=5)  # the moment is taken before the transaction ends
