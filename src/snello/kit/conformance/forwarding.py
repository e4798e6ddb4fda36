"""One call passed on to the real server, its answer brought back with the proxy's address in its links."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from http.client import HTTPConnection, HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from snello.kit.conformance.faults import Seen

HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
OURS = HOP_BY_HOP | {"content-length", "accept-encoding", "expect"}
LINKING = {"link", "location", "content-location"}
WITH_BODY = {"POST", "PUT", "PATCH"}

Headers = list[tuple[str, str]]


class Answer(NamedTuple):
    """What the server said; of a HEAD, with the length that the body would have had."""

    status: int
    headers: Headers
    body: bytes


def forward(seen: Seen, target: str, headers: Iterable[tuple[str, str]], origins: tuple[str, str]) -> Answer:
    """Make the call at the first of the two origins; links to it in the answer lead to the second.

    A connection a call: one that was kept might be gone without a word. Raises ``OSError`` or ``HTTPException``.
    """
    theirs = urlsplit(origins[0])
    connection = HTTPConnection(theirs.hostname or "127.0.0.1", theirs.port or 80)
    try:
        connection.putrequest(seen.method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            if name.lower() not in OURS:
                connection.putheader(name, value)
        connection.putheader("Accept-Encoding", "identity")
        if seen.body or seen.method in WITH_BODY:
            connection.putheader("Content-Length", str(len(seen.body)))
        connection.endheaders(seen.body or None)
        answer = connection.getresponse()
        kept = _kept(answer.getheaders(), origins, head=seen.method == "HEAD")
        return Answer(answer.status, kept, _rewritten(answer, origins))
    finally:
        connection.close()


def reordered(body: bytes) -> bytes:
    """The same JSON with each list the other way round; what is not JSON as it is."""
    try:
        return json.dumps(_turned(json.loads(body))).encode()
    except ValueError:
        return body


def _turned(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _turned(each) for name, each in value.items()}
    return [_turned(each) for each in reversed(value)] if isinstance(value, list) else value


def _kept(headers: Iterable[tuple[str, str]], origins: tuple[str, str], *, head: bool) -> Headers:
    left = HOP_BY_HOP if head else HOP_BY_HOP | {"content-length"}
    return [(k, v.replace(*origins) if k.lower() in LINKING else v) for k, v in headers if k.lower() not in left]


def _rewritten(answer: HTTPResponse, origins: tuple[str, str]) -> bytes:
    body = answer.read()
    if not re.search(r"[/+]json", answer.getheader("Content-Type", "")):
        return body
    theirs, mine = (origin.encode() for origin in origins)
    return body.replace(theirs, mine).replace(theirs.replace(b"/", b"\\/"), mine.replace(b"/", b"\\/"))
