"""A request as it is asked for, and what is made of the content that comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests

from snello.errors import ContractError
from snello.kit.http.answer import Answer
from snello.kit.http.faults import Asked, Faults
from snello.kit.http.retry import Transient

Decode = Callable[[bytes], Any]
Check = Callable[[Answer], None]
MARK = b"\xef\xbb\xbf"  # some servers begin their UTF-8 with it
_decode = msgspec.json.Decoder().decode


def from_json(content: bytes) -> Any:
    """The document of a JSON text. Raises ``msgspec.DecodeError``."""
    return _decode(content.removeprefix(MARK))


@dataclass
class Call:
    """One request as it is asked for, and how far it has come."""

    request: requests.Request
    asked: Asked
    decode: Decode
    check: Check | None
    faults: Faults
    accept: tuple[int, ...] = ()
    signed: bool = True
    refusal: Check | None = None
    token: str = ""
    renewed: bool = False
    tries: int = 0


def request_of(method: str, url: str, headers: Mapping[str, str] | None, **body: Any) -> requests.Request:
    """A request with ``params`` and either ``json`` or ``data``."""
    given = dict(headers or {})
    json = body.pop("json", None)
    if json is not None:
        body["data"] = msgspec.json.encode(json)
        given = {"Content-Type": "application/json", **given}
    return requests.Request(method, url, headers=given, **body)


def document_of(call: Call, answer: Answer) -> Any:
    """The decoded content. Raises ``ContractError`` for a web page, ``Transient`` for what does not decode."""
    if call.decode is bytes:
        return answer.content
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind.endswith("html"):
        what = f"a web page came instead of data from {call.asked.place}"
        raise ContractError(call.asked.where, what, "check the URL, and that the interface is switched on")
    if not answer.content and (answer.status == 204 or answer.method != "GET"):
        return None
    try:
        return call.decode(answer.content)
    except (msgspec.DecodeError, ValueError):
        raise Transient(f"the answer of {call.asked.place} is not whole JSON") from None


def json_or_none(content: bytes) -> Any:
    """The JSON of a login; some servers answer with nothing but cookies."""
    try:
        return from_json(content)
    except (msgspec.DecodeError, ValueError):
        return None


def path_of(url: str) -> str:
    """Path of an address, for messages."""
    try:
        return urlsplit(url).path or "/"
    except ValueError:
        return "/"


def host_of(url: str) -> str:
    """Host and port of an address, without a password."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""
