"""Letters about events: one an event, to the person whom its customer names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.smtp_letters import SECRET, settings
from tests.servers.smtp import Mails, mails

from snello.kit.channel.rehearsal import Rehearsal
from snello.kit.mail.refs import Left, left
from target_smtp import TargetSmtp


@pytest.fixture
def server() -> Iterator[Mails]:
    with mails() as one:
        yield one


TERMS = {"mode": "append", "key": "order_id", "purpose": "email_marketing", "channel": "email"}


def thanks(folder: Path, port: int, **more: Any) -> tuple[Rehearsal, dict[str, Any]]:
    """A sync that thanks for orders, and the settings of its target."""
    text = "{% block subject %}Grazie{% endblock %}: {{ order_id }}, {{ total|number }}"
    (folder / "thanks.it.txt.j2").write_text(text)
    given = {"templates": str(folder), "template": "thanks", "languages": ["it"], **more}
    return Rehearsal(folder, "smtp__thanks", **TERMS), settings(folder, port, **given)


def order(number: int) -> dict[str, Any]:
    return {"order_id": f"o{number}", "customer_id": "c1", "email": "ada@example.it", "total": 1000.5 * number}


def test_each_event_has_its_letter_and_unsubscribes_the_person(server: Mails, tmp_path: Path) -> None:
    stage, config = thanks(tmp_path, server.port)
    orders = [order(number) for number in range(1, 4)]
    for published in (orders[:2], orders, orders[1:]):
        stage.publish(published)
        stage.run(TargetSmtp, config)
    assert sorted(mail.raw.partition(b"Grazie: ")[2].strip() for mail in server.letters) == [
        b"o1, 1.000,5",
        b"o2, 2.001",
        b"o3, 3.001,5",
    ]
    tokens = {str(mail.message["List-Unsubscribe"]).strip("<>").rpartition("/")[2] for mail in server.letters}
    said = {left(SECRET.encode(), token) for token in tokens}
    assert said == {Left("smtp__thanks", f"o{number}", "c1") for number in range(1, 4)}


def test_an_address_that_the_relay_does_not_know_gets_no_letter_about_the_next_event(
    server: Mails, tmp_path: Path
) -> None:
    stage, config = thanks(tmp_path, server.port)
    server.at_recipient["ada@example.it"] = ["550 5.1.1 nobody"]
    for number in (1, 2):
        stage.publish([order(number)])
        stage.run(TargetSmtp, config)
    assert server.seen["ada@example.it"] == 1


def test_who_unsubscribes_by_mail_gets_no_letter_about_the_next_event(server: Mails, tmp_path: Path) -> None:
    for part in ("cur", "new", "tmp"):
        (tmp_path / "box" / part).mkdir(parents=True)
    mail = {"unsubscribe_url": None, "unsubscribe_mail": "leave@aurora.example"}
    stage, config = thanks(tmp_path, server.port, bounces={"maildir": str(tmp_path / "box")}, **mail)
    stage.publish([order(1)])
    stage.run(TargetSmtp, config)
    token = str(server.letters[0].message["List-Unsubscribe"]).strip("<>").rpartition("=")[2]
    (tmp_path / "box" / "new" / "1.mx").write_text(f"From: ada@example.it\nSubject: {token}\n\n")
    stage.run(TargetSmtp, config)
    stage.publish([order(1), order(2)])
    stage.run(TargetSmtp, config)
    assert [mail.recipient for mail in server.letters] == ["ada@example.it"]
