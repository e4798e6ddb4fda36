"""tap-odata tried on a real SAP CAP server, behind a door that hands out tokens which soon expire."""

from __future__ import annotations

import atexit
import json
import secrets
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from tests.servers import cap

from snello.kit.conformance import Seen
from snello.kit.conformance.forwarding import forward
from snello.kit.conformance.taps import Key, Subject, starts

CLIENT, SECRET = "hub", "sesame-of-the-hub"
CALLS = 25  # that a token is good for: each reading outlives one
FEW = {
    "BusinessPartners": cap.partners()[:80],
    "Addresses": cap.addresses()[:60],
    "Products": cap.products()[:60],
    "SalesOrders": cap.orders()[:40],
    "SalesOrderItems": cap.items()[:80],
    "Invoices": cap.invoices()[:14],
}
USER = "hr", cap.USERS["hr"]


class Door:
    """Lets the bearers of its tokens through to a service; ``/token`` gives one for the client's secret."""

    def __init__(self, service: str) -> None:
        self.parts = urlsplit(service)
        self.calls: dict[str, int] = {}
        self.lock = threading.Lock()

    def token(self, form: dict[str, list[str]]) -> tuple[int, dict[str, str]]:
        """The answer of the token endpoint."""
        if (form.get("client_id"), form.get("client_secret")) != ([CLIENT], [SECRET]):
            return 401, {"error": "invalid_client"}
        made = secrets.token_urlsafe(16)
        with self.lock:
            self.calls[made] = 0
        return 200, {"access_token": made, "token_type": "Bearer"}

    def admits(self, authorization: str) -> bool:
        """Whether a token is good for one call more."""
        token = authorization.removeprefix("Bearer ")
        with self.lock:
            if token in self.calls:
                self.calls[token] += 1
            return self.calls.get(token, CALLS + 1) <= CALLS


class Handler(BaseHTTPRequestHandler):
    """One call at the door."""

    protocol_version = "HTTP/1.1"
    door: Door

    def do_POST(self) -> None:
        """A token."""
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if (basic := self.headers.get("Authorization", "")).startswith("Basic "):
            form |= _client_of(basic)
        status, document = self.door.token(form)
        self._say(status, json.dumps(document).encode(), [("Content-Type", "application/json")])

    def do_GET(self) -> None:
        """What the service says to the user behind the token."""
        if not self.door.admits(self.headers.get("Authorization", "")):
            self._say(401, b"", [("WWW-Authenticate", 'Bearer error="invalid_token"')])
            return
        user = b64encode(":".join(USER).encode()).decode()
        headers = {**dict(self.headers.items()), "Authorization": f"Basic {user}"}.items()
        theirs = f"{self.door.parts.scheme}://{self.door.parts.netloc}"
        answer = forward(Seen("GET", self.path, ""), self.path, headers, (theirs, f"http://{self.headers['Host']}"))
        self._say(answer.status, answer.body, answer.headers)

    def _say(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _client_of(basic: str) -> dict[str, list[str]]:
    name, _, secret = b64decode(basic.removeprefix("Basic ")).decode().partition(":")
    return {"client_id": [name], "client_secret": [secret]}


@contextmanager
def _door(service: str) -> Iterator[str]:
    """The service's address behind a door."""
    handler = type("AtDoor", (Handler,), {"door": Door(service)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}{urlsplit(service).path}"
        server.shutdown()
        thread.join()


@cache
def _server() -> cap.Cap:
    """One for all cases: what one changes, no other looks at."""
    stack = ExitStack()
    server = stack.enter_context(cap.serving(**FEW))
    atexit.register(stack.close)
    return server


@starts({"grows": "measured for all REST taps in tests/kit/test_rest_process.py"}, real=True)
def by_client() -> Iterator[Subject]:
    """Partners and addresses by their moment of change, orders by theirs, products and items compared."""
    server = _server()

    def ask(path: str) -> Any:
        return requests.get(f"{server.url}/{path}", auth=USER, timeout=60).json()

    def change() -> tuple[str, Key]:
        server.change("PATCH", "BusinessPartners('BP00007')", {"name": "Changed"})
        return "BusinessPartners", ("BP00007",)

    def tie() -> tuple[str, list[Key]]:
        last = ask("SalesOrders?$orderby=orderedAt desc&$top=1")["value"][0]
        made = [last["ID"] + 1000, -last["ID"]]
        for number in made:
            server.change("POST", "SalesOrders", {"ID": number, "orderedAt": last["orderedAt"], "status": "open"})
        return "SalesOrders", [(number,) for number in made]

    def remove() -> tuple[str, Key]:
        product = ask("Products?$top=1")["value"][0]["ID"]
        server.change("DELETE", f"Products({product})")
        return "Products", (product,)

    with _door(server.url) as url:
        given = {"client_id": CLIENT, "client_secret": SECRET, "page_size": 10}
        yield Subject(
            command="tap_odata:main",
            plugin="tap_odata:TapOData",
            url=url,
            config=lambda address: {
                "url": address,
                "token_url": f"{url[: -len(urlsplit(url).path)]}/token",
                "replication": {"SalesOrders": "orderedAt"},
                **given,
            },
            rows={name: ask(f"{name}?$top=0&$count=true")["@odata.count"] for name in cap.TABLES},
            canaries=(cap.CANARY, SECRET),
            change=change,
            tie=tie,
            remove=remove,
            wrong={"client_secret": "sesame-of-nobody"},
        )
