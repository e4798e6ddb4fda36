"""What every model of a Tryton server shares: pages by moment and number, archived rows too, related fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from singer_sdk import Tap

from snello.kit.rest import Answer, Ask, Compare, Errors, Request, Row, Values, bearer
from snello.kit.rest.host import Host
from snello.kit.rest.jsonrpc import JsonRpcStream
from tap_tryton.questions import Question, flat
from tap_tryton.server import Server
from tap_tryton.session import SESSION


class TrytonStream(JsonRpcStream):
    """One model. ``related`` are fields of the rows that it points to: ``lang.code`` arrives as ``lang_code``."""

    url_base, path = "{url}/{database}", "/rpc/"
    rpc_method, envelope, typed = "model.{model}.search_read", {}, True
    rpc_params = ("{domain}", 0, "{limit}", "{order}", "{fields}", "{context}")
    ordered, order = ("last_modified_at", "id"), (("last_modified_at", "ASC NULLS FIRST"), ("id", "ASC"))
    primary_keys, replication_key = ("id",), "last_modified_at"
    errors = Errors("$.error", code="$.error[0]", again={"ConcurrencyException"}, denied={"UserError"})
    changed, values = (("last_modified_at", ">=", "{since}"),), Values(left_out=("__name__",))
    related: ClassVar[tuple[str, ...]] = ()

    def __init__(self, tap: Tap, host: Host, schema: dict[str, Any] | None = None, name: str | None = None) -> None:
        self.auth = bearer("key") if tap.config.get("key") else SESSION
        if self.name in (tap.config.get("deletions") or ()):
            self.compare = Compare(proof="end")
        super().__init__(tap, host, schema, name)
        self.server = Server(self, by_key=self.auth is not SESSION)

    def fields(self) -> list[str]:
        """Those that the server has: they differ with its modules and its version."""
        paths = {path.replace(".", "_"): path for path in self.related}
        wanted = (paths.get(name, name) for name in super().fields())
        return [name for name in wanted if name.partition(".")[0] in self.server.fields]

    def surroundings(self) -> dict[str, Any]:
        """Archived rows too, and the company whose prices are wanted: without one there are none."""
        return {"active_test": False, "company": self.server.company}

    def request(self, ask: Ask, context: Mapping[str, Any], begin: Any) -> Request:
        """A page, from the interface that the credentials are for."""
        if not self.server.by_key:
            return super().request(ask, context, begin)
        question = Question(self.model, self.asked_domain(ask, begin), self.fields(), self.order, self.size)
        return question.request(self.address_of("", {}), self.surroundings())

    def check(self, answer: Answer) -> None:
        """Raise for an error inside a success; the REST interface has none."""
        return None if self.server.by_key else super().check(answer)

    def rows(self, answer: Answer) -> list[Row]:
        """The records, with what they point to."""
        return [flat(row, self.related) for row in super().rows(answer)]
