"""Letters about events: one an event, to the person whom its customer names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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


def test_each_event_has_its_letter_and_unsubscribes_the_person(server: Mails, tmp_path: Path) -> None:
    (tmp_path / "thanks.it.txt.j2").write_text(
        "{% block subject %}Grazie{% endblock %}: {{ order_id }}, {{ total|number }}"
    )
    terms = {"mode": "append", "key": "order_id", "purpose": "email_marketing", "channel": "email"}
    stage = Rehearsal(tmp_path, "smtp__thanks", **terms)
    config = settings(tmp_path, server.port, templates=str(tmp_path), template="thanks", languages=["it"])
    orders = [
        {"order_id": f"o{number}", "customer_id": "c1", "email": "ada@example.it", "total": 1000.5 * number}
        for number in range(1, 4)
    ]
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
