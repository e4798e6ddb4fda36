"""What every model of an Odoo server shares: pages by number, for Odoo shows no moment to the microsecond."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any

from snello.kit.rest import Answer, Ask, Compare, ConfigError, Request, Row, Values
from snello.kit.rest.jsonrpc import JsonRpcStream
from tap_odoo.faults import ERRORS
from tap_odoo.json2 import Json2
from tap_odoo.jsonrpc import JsonRpc
from tap_odoo.rows import plain


class OdooStream(JsonRpcStream):
    """One model."""

    url_base, errors = "{url}", ERRORS
    primary_keys, replication_key, since_format = ("id",), "write_date", "%Y-%m-%d %H:%M:%S"
    changed, values = (("write_date", ">=", "{since}"),), Values(empty=(False,))
    overlap = timedelta(minutes=5)  # rows bear the moment at which their transaction began; it may last two minutes

    def __init__(self, tap: Any, *given: Any, **more: Any) -> None:
        self.auth = tap.account.auth
        self.api = JsonRpc(self, tap.account) if tap.account.by_rpc else Json2(self)
        if self.name in (tap.config.get("deletions") or ()):
            self.compare = Compare(proof="end")
        super().__init__(tap, *given, **more)

    @cached_property
    def kinds(self) -> Mapping[str, str]:
        """Types of the fields that the server has: they differ with its modules and its version."""
        return {name: str(each["type"]) for name, each in self.api.about.items()}

    def request(self, ask: Ask, context: Mapping[str, Any], begin: Any) -> Request:
        """A page of records, archived ones too; of some companies where that is asked for."""
        companies = {"allowed_company_ids": given} if (given := self.config.get("companies")) else {}
        fields = [name for name in self.fields() if name in self.kinds]
        which = {"domain": self.asked_domain(ask, begin), "fields": fields, "limit": self.size, "order": "id"}
        return self.api.request("search_read", {**which, "context": {"active_test": False, **companies}})

    def no_right(self) -> ConfigError:
        """The user may not read the model, or not of these companies: Odoo tells both alike."""
        fault = super().no_right()
        return ConfigError(self.where, fault.what, f"{fault.cure}; see that companies, where set, are the user's own")

    def check(self, answer: Answer) -> None:
        """Raise for an error inside a success."""
        self.api.check(answer)

    def refusal(self, answer: Answer) -> None:
        """Raise for a refusal that says more than its status."""
        self.api.refusal(answer)

    def rows(self, answer: Answer) -> list[Row]:
        """The records, values plain."""
        return [plain(row, self.kinds, self.names) for row in super().rows(answer)]
