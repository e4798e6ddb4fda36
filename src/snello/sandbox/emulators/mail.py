"""The company's mail server: it takes letters by SMTP into a Maildir, and shows them on a page.

It keeps to what a relay demands: a sender and recipients, mailboxes that exist, and a size. Who writes to a mailbox
that nobody has gets 550 5.1.1; on bad days a letter is put off with 451 4.7.1, as greylisting does.
"""

from __future__ import annotations

import mailbox
import random
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html import escape
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from snello.sandbox.emulators.watch import CALM, Watch, Weather
from snello.sandbox.ports import HOST

MOST_BYTES = 10_000_000
NOBODY = "nobody."  # mailboxes whose name begins so do not exist


class Letters:
    """The letters in a Maildir, and how a relay takes one."""

    def __init__(self, folder: Path, weather: Weather = CALM) -> None:
        self.box = mailbox.Maildir(folder, create=True)
        self.weather, self.chance = weather, random.Random(weather.seed)

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """A mailbox must exist."""
        if address.startswith(NOBODY):
            return "550 5.1.1 no such mailbox"
        if self.chance.random() < self.weather.limited:
            return "451 4.7.1 try again later"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Keep the letter, safe on disk, before it is acknowledged."""
        content = envelope.content
        self.box.add(content if isinstance(content, bytes) else str(content).encode())
        return "250 2.0.0 ok"

    def counts(self) -> dict[str, Any]:
        """How many letters are there."""
        return {"letters": len(self.box)}

    def read(self) -> Iterator[tuple[str, EmailMessage]]:
        """Every letter under its name, newest first."""
        for name in sorted(self.box.keys(), reverse=True):
            yield name, self.letter(name)

    def letter(self, name: str) -> EmailMessage:
        """One letter. Raises ``KeyError``."""
        message = BytesParser(policy=policy.default).parsebytes(self.box.get_bytes(name))
        assert isinstance(message, EmailMessage)
        return message


def mail(letters: Letters, home: str = "") -> ASGIApp:
    """The page of the letters: ``/`` lists them, ``/letters/<name>`` is one, ``/_inspect/letters`` all, as JSON."""

    async def listing(_request: Request) -> Response:
        rows = "".join(
            f'<tr><td><a href="/letters/{escape(name)}">{escape(str(one["Subject"]))}</a></td>'
            f"<td>{escape(str(one['To']))}</td></tr>"
            for name, one in letters.read()
        )
        return HTMLResponse(f"<!doctype html><title>Letters</title><table>{rows}</table>")

    async def one(request: Request) -> Response:
        try:
            letter = letters.letter(request.path_params["name"])
        except KeyError:
            return HTMLResponse("no such letter", 404)
        body = letter.get_body(("html", "plain"))
        return HTMLResponse(body.get_content() if body else "")

    async def inspect(_request: Request) -> Response:
        return JSONResponse([_told(one) for _, one in letters.read()])

    routes = [Route("/", listing), Route("/letters/{name}", one), Route("/_inspect/letters", inspect)]
    return Watch(Starlette(routes=routes), "mail", letters.counts, home=home)


@contextmanager
def taking(letters: Letters, port: int) -> Iterator[None]:
    """Take letters by SMTP on a loopback port until the block ends."""
    server = Controller(letters, hostname=HOST, port=port, data_size_limit=MOST_BYTES)
    server.start()
    try:
        yield
    finally:
        server.stop()


def _told(letter: EmailMessage) -> dict[str, Any]:
    text = letter.get_body(("plain", "html"))
    headers = {name.lower(): str(value) for name, value in letter.items()}
    return {"headers": headers, "text": text.get_content() if text else ""}
