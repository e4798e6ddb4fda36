"""target-smtp tried on a mail server that keeps every letter that it takes."""

from __future__ import annotations

import asyncio
import email
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.policy import default
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiosmtpd.smtp import SMTP

from snello.kit.conformance.targets import Subject, starts

SECRET = "a secret that signs"
LACKS: dict[Any, str] = {
    "http": "it speaks SMTP",
    "changes": "a letter that was sent cannot be changed, and not taken back",
    "foreign": "a relay takes letters; it shows none, ours or others'",
    "lost": "what became of a letter is not ours to see",
    "answers_by_row": "each answer is to one letter",
    "says_json": "it answers in lines",
    "own_purpose": "a letter may serve marketing or service",
    "authenticates": "logins are tried by tests of their own, for they need certificates",
}
TEMPLATE = "{% block subject %}{{ first_name }}{% endblock %}: {{ version }}"


class Post:
    """What aiosmtpd hands over."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, dict[str, Any]]] = []

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:
        """Keep a letter, by the key in its Message-ID."""
        message = email.message_from_bytes(envelope.content, policy=default)
        key = str(message["Message-ID"]).strip("<").partition(".")[0]
        body = message.get_content().strip()
        self.letters.append((key, {"to": envelope.rcpt_tos[0], "body": body}))
        return "250 2.0.0 OK"


@contextmanager
def serving(post: Post) -> Iterator[int]:
    """The port of a mail server, as long as the block lasts."""
    loop = asyncio.new_event_loop()
    listener = loop.run_until_complete(
        loop.create_server(lambda: SMTP(post, loop=loop, hostname="mail.example"), "127.0.0.1", 0)
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_ended(listener), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _ended(listener: asyncio.Server) -> None:
    listener.close()
    talking = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in talking:
        task.cancel()
    await asyncio.gather(*talking, return_exceptions=True)


@starts(LACKS)
def letters() -> Iterator[Subject]:
    """One letter a person, ever."""
    post = Post()
    with serving(post) as port, TemporaryDirectory() as folder:
        Path(folder, "canaries.it.txt.j2").write_text(TEMPLATE)
        yield Subject(
            command="target_smtp:main",
            url=f"smtp://127.0.0.1:{port}",
            config=lambda _url: {
                "host": "127.0.0.1",
                "port": port,
                "security": "none",
                "sender": "Aurora <news@aurora.example>",
                "secret": SECRET,
                "templates": folder,
                "template": "canaries",
                "fallback": "it",
                "unsubscribe_url": "https://aurora.example/leave/{token}",
                "journal": f"{folder}/journal.db",
                "batch_size": 2,
            },
            terms={"purpose": "email_marketing", "channel": "email", "mode": "insert"},
            columns=lambda number, version: {
                "email": f"canary{number}@example.it",
                "first_name": f"canary {number}.",
                "version": f"{version}",
            },
            held=lambda: list(post.letters),
            shown=lambda row: {"to": row["email"], "body": f"{row['first_name']}: {row['version']}"},
            effects=lambda: [key for key, _ in post.letters],
            secrets=(SECRET,),
            bad=(
                ({"email": "canary at example.it", "first_name": "canary", "version": "0"}, "invalid_email"),
                ({"email": None, "first_name": "canary", "version": "0"}, "no_email"),
                ({"email": "canary@example.it", "first_name": None, "version": "canary"}, "missing_first_name"),
            ),
        )
