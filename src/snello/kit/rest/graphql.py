"""One list of a GraphQL interface as a Singer stream: a query with variables for the page and the first moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from singer_sdk.helpers.jsonpath import extract_jsonpath

from snello.errors import ContractError
from snello.kit.http import Answer
from snello.kit.rest.asking import Ask, Request, Row
from snello.kit.rest.bookmarks import Mark
from snello.kit.rest.errors import Errors
from snello.kit.rest.paging import cursor
from snello.kit.rest.stream import RestStream


class GraphQLStream(RestStream):
    """What every list shares.

    - ``query``: the document; ``variables``: those of every page
    - ``connection``: JSONPath of a connection as in the Relay specification, asked for by ``$first`` and ``$after``;
      its ``nodes``, or the ``node`` of each of its ``edges``, are the rows. Without it, ``paging`` and
      ``records_jsonpath`` are declared as for any stream, and what the paging adds becomes variables
    - ``since``: the variable that takes the moment to ask from, written as ``since_format``; null in a first run
    - an answer with ``errors`` is none, whatever data it holds beside them
    """

    method = "POST"
    query: str = ""
    variables: Mapping[str, Any] = {}
    connection: str | None = None
    page_size: int = 100
    errors = Errors(
        "$.errors",
        code="$.errors[*].extensions.code",
        again={"THROTTLED", "INTERNAL_SERVER_ERROR", "TIMEOUT"},
        expired={"UNAUTHENTICATED"},
        denied={"ACCESS_DENIED", "FORBIDDEN"},
    )

    def __init__(self, *args: Any, **given: Any) -> None:
        if self.connection is not None:
            end, more = f"{self.connection}.pageInfo.endCursor", f"{self.connection}.pageInfo.hasNextPage"
            self.paging = cursor(end, body="after", more=more, limit=("first", self.page_size))
        super().__init__(*args, **given)

    def request(self, ask: Ask, context: Mapping[str, Any], begin: Mark) -> Request:
        """The query with its variables; names of a context become variables too."""
        since = {self.since: None if begin is None else self.written(begin)} if self.since else {}
        variables = {**self.variables, **context, **since, **ask.body}
        body = {"query": self.query, "variables": variables}
        return Request("POST", self.address(context), json=body, headers={**self.headers, **ask.headers})

    def rows(self, answer: Answer) -> list[Row]:
        """The rows of the connection. Raises ``ContractError`` when the answer has none."""
        if self.connection is None:
            return super().rows(answer)
        found = next(iter(extract_jsonpath(self.connection, answer.document)), None)
        if isinstance(found, dict) and isinstance(found.get("nodes"), list):
            rows: list[Row] = found["nodes"]
            return rows
        if isinstance(found, dict) and isinstance(found.get("edges"), list):
            return [edge["node"] for edge in found["edges"]]
        what = f"the answer of {answer.path} holds no connection at {self.connection}"
        raise ContractError(self.where, what, "compare the query with the interface's schema")
