from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from snello.sandbox.emulators import Letters, Weather, serve, taking
from snello.sandbox.emulators.mail import mail


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def letter(subject: str, to: str = "ada@posta.example") -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "Aurora <news@aurora.example>", to
    message.set_content("Cara Ada,\n")
    message.add_alternative("<p>Cara <b>Ada</b>,</p>", subtype="html")
    return message


@pytest.fixture
def post(tmp_path: Path) -> Iterator[tuple[int, str]]:
    """Where letters are taken, and where they are shown."""
    letters, port = Letters(tmp_path / "mail"), free_port()
    with taking(letters, port), serve(mail(letters)) as url:
        yield port, url


def test_a_letter_that_was_taken_is_listed_and_shown(post: tuple[int, str]) -> None:
    port, url = post
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(letter("Da quanto <tempo>"))
    listing = httpx.get(url, trust_env=False).text
    assert "Da quanto &lt;tempo&gt;" in listing
    [shown] = httpx.get(f"{url}/_inspect/letters", trust_env=False).json()
    assert (shown["headers"]["to"], shown["text"].strip()) == ("ada@posta.example", "Cara Ada,")
    name = listing.partition('href="')[2].partition('"')[0]
    assert "<b>Ada</b>" in httpx.get(url + name, trust_env=False).text
    assert httpx.get(f"{url}/letters/none", trust_env=False).status_code == 404


def test_a_mailbox_that_nobody_has_is_refused_with_its_code(post: tuple[int, str]) -> None:
    with smtplib.SMTP("127.0.0.1", post[0]) as server, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        server.send_message(letter("?", to="nobody.ada@posta.example"))
    assert refused.value.recipients == {"nobody.ada@posta.example": (550, b"5.1.1 no such mailbox")}


def test_on_a_bad_day_letters_are_put_off(tmp_path: Path) -> None:
    port = free_port()
    with (
        taking(Letters(tmp_path / "mail", Weather(limited=1.0)), port),
        smtplib.SMTP("127.0.0.1", port) as server,
        pytest.raises(smtplib.SMTPRecipientsRefused) as refused,
    ):
        server.send_message(letter("later"))
    assert refused.value.recipients["ada@posta.example"][0] == 451


def test_letters_outlive_the_server(tmp_path: Path) -> None:
    port = free_port()
    with taking(Letters(tmp_path / "mail"), port), smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(letter("kept"))
    assert Letters(tmp_path / "mail").counts() == {"letters": 1}
