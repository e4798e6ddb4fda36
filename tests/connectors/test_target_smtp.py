"""Letters on a real mail server: what each answer of it comes to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.smtp_letters import change, said, sent, settings, sink
from tests.servers.smtp import HANG_UP, PASSWORD, USER, Certificates, Mails, mails

from snello.errors import ConfigError, RetryLater
from snello.kit.channel import Bounce
from snello.kit.channel.rehearsal import Rehearsal
from snello.kit.configuration import settings_of
from snello.kit.mail.rounds import Paces, paces
from target_smtp import TargetSmtp
from target_smtp.composing import Composer
from target_smtp.settings import Settings

DELIVERED = ("delivered", "")


@pytest.fixture
def server() -> Iterator[Mails]:
    with mails() as one:
        yield one


def test_each_member_gets_one_letter_and_a_second_run_sends_none(server: Mails, tmp_path: Path) -> None:
    stage = Rehearsal(tmp_path, "smtp__win_back", purpose="email_marketing", channel="email", mode="insert")
    stage.publish([dict(change(number).payload) for number in range(5)])
    for _ in range(2):
        stage.run(TargetSmtp, settings(tmp_path, server.port))
    assert sorted(mail.recipient for mail in server.letters) == [f"person{number}@example.it" for number in range(5)]
    ledger = stage.ledger()
    rows = ledger.lookup("smtp__win_back", ["c003"])
    ledger.close()
    assert rows["c003"]["remote_id"] == server.to("person3@example.it")[0].message["Message-ID"]


def test_who_leaves_the_audience_gets_no_letter_about_it(server: Mails, tmp_path: Path) -> None:
    with sink(tmp_path, server.port) as letters:
        assert said(letters.remove([change(1)])) == {"c001": DELIVERED}
    assert server.letters == []


def test_a_login_is_sent_encrypted(tmp_path: Path) -> None:
    made = Certificates.made(tmp_path)
    for security, given in (("starttls", {"starttls": made.context}), ("tls", {"tls": made.context})):
        with mails(login=True, **given) as server:
            more = {"security": security, "ca_file": made.ca_file, "username": USER, "password": PASSWORD}
            (tmp_path / security).mkdir()
            assert sent(tmp_path / security, server.port, [change(1)], **more) == {"c001": DELIVERED}
            assert len(server.letters) == 1
            assert (server.logins, server.encrypted) == (1, 1)


def test_a_password_without_encryption_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"in clear\. Next: set security"):
        settings_of(Settings, settings(tmp_path, username="u", password="p"), "target-smtp")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"security": "starttls", "username": USER, "password": "wrong"}, "535 at the login"),
        ({"security": "starttls", "ca_file": None}, "certificate does not verify"),
    ],
)
def test_what_waiting_does_not_mend_ends_the_run_before_a_letter(
    tmp_path: Path, more: dict[str, Any], told: str
) -> None:
    made = Certificates.made(tmp_path)
    with mails(starttls=made.context, login=True) as server:
        with pytest.raises(ConfigError, match=told):
            sent(tmp_path, server.port, [change(1)], **{"ca_file": made.ca_file, **more})
        assert server.letters == []


def test_a_server_without_starttls_is_not_spoken_to_in_clear(server: Mails, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="offers no STARTTLS"):
        sent(tmp_path, server.port, [change(1)], security="starttls")
    assert server.letters == []


@pytest.mark.parametrize("extensions", [(), ("PIPELINING", "DSN")], ids=["plain", "pipelined"])
def test_greylisting_puts_off_one_letter_and_the_next_run_sends_it(tmp_path: Path, extensions: tuple[str, ...]) -> None:
    later = {"person1@example.it": ["451 4.7.1 <person1@example.it> greylisted"]}
    with mails(extensions=extensions, at_recipient=later) as server:
        changes = [change(number) for number in range(3)]
        first = sent(tmp_path, server.port, changes, connections=1)
        assert first == {"c000": DELIVERED, "c001": ("retrying", "4.7.1"), "c002": DELIVERED}
        assert sent(tmp_path, server.port, [changes[1]]) == {"c001": DELIVERED}
        assert len(server.letters) == 3


def test_a_letter_put_off_after_its_text_is_not_in_doubt(tmp_path: Path) -> None:
    with mails(at_text={"person1@example.it": ["452 4.3.1 full"]}) as server:
        assert sent(tmp_path, server.port, [change(1)]) == {"c001": ("retrying", "4.3.1")}
        assert sent(tmp_path, server.port, [change(1)]) == {"c001": DELIVERED}


@pytest.mark.parametrize("extensions", [(), ("PIPELINING", "DSN")], ids=["plain", "pipelined"])
def test_a_refusal_falls_on_its_letter_and_nobody_there_is_a_hard_bounce(
    tmp_path: Path, extensions: tuple[str, ...]
) -> None:
    refusing = {
        "person0@example.it": ["550 5.1.1 <person0@example.it> unknown"],
        "person1@example.it": ["550 5.7.1 policy"],
        "person2@example.it": ["550 no such user"],
    }
    with mails(extensions=extensions, at_recipient=refusing) as server, sink(tmp_path, server.port) as letters:
        found = said(letters.upsert([change(number) for number in range(4)]))
        codes = {"c000": "5.1.1", "c001": "5.7.1", "c002": "550"}
        assert found == {key: ("refused", code) for key, code in codes.items()} | {"c003": DELIVERED}
        assert [*letters.bounced()] == [Bounce("c000", "hard", "person0@example.it")]


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",)], ids=["plain", "pipelined"])
def test_an_answer_that_fits_no_question_is_no_delivery(tmp_path: Path, extensions: tuple[str, ...]) -> None:
    with mails(extensions=extensions, at_recipient={"person1@example.it": ["354 go ahead"] * 3}) as server:
        found = sent(tmp_path, server.port, [change(number) for number in range(3)])
        assert found.pop("c001") == ("retrying", "connection_lost")
        assert set(found.values()) == {DELIVERED}


def test_a_service_that_ends_is_connected_anew(tmp_path: Path) -> None:
    ending = {"person1@example.it": ["421 4.3.2 going down", "421 4.3.2 going down"]}
    with mails(at_recipient=ending) as server:
        found = sent(tmp_path, server.port, [change(number) for number in range(4)], connections=1)
        assert set(found.values()) == {DELIVERED}
        assert server.connections == 3
        assert len(server.letters) == 4


def test_a_server_that_ends_every_connection_at_one_letter_costs_that_letter_alone(tmp_path: Path) -> None:
    with mails(at_recipient={"person1@example.it": [HANG_UP] * 3}) as server:
        found = sent(tmp_path, server.port, [change(number) for number in range(4)], connections=2)
        assert found.pop("c001") == ("retrying", "connection_lost")
        assert set(found.values()) == {DELIVERED}


def test_a_server_that_is_away_is_told_and_nothing_is_in_doubt(tmp_path: Path) -> None:
    with mails() as server:
        port = server.port
    with pytest.raises(RetryLater, match="tried 3 times") as told:
        sent(tmp_path, port, [change(1)])
    assert "person1" not in str(told.value)
    with mails() as server:
        assert sent(tmp_path, server.port, [change(1)]) == {"c001": DELIVERED}


def test_a_letter_whose_answer_never_came_is_held_back_by_this_run_and_the_next(tmp_path: Path) -> None:
    with mails(at_text={"person1@example.it": [HANG_UP]}) as server:
        found = sent(tmp_path, server.port, [change(number) for number in range(3)])
        assert found == {"c000": DELIVERED, "c001": ("retrying", "in_doubt"), "c002": DELIVERED}
        assert sent(tmp_path, server.port, [change(1, first_name="Eva")]) == {"c001": ("retrying", "in_doubt")}
        assert len(server.to("person1@example.it")) == 1


def test_who_asks_for_it_has_letters_in_doubt_repeated_under_one_message_id(tmp_path: Path) -> None:
    with mails(at_text={"person1@example.it": [HANG_UP]}) as server:
        assert sent(tmp_path, server.port, [change(1)], in_doubt="repeat") == {"c001": DELIVERED}
        first, second = server.to("person1@example.it")
        assert first.message["Message-ID"] == second.message["Message-ID"]


def test_a_letter_that_was_taken_is_not_sent_by_a_run_that_does_not_know_it(server: Mails, tmp_path: Path) -> None:
    for _ in range(2):
        assert sent(tmp_path, server.port, [change(1)]) == {"c001": DELIVERED}
    assert len(server.letters) == 1


def test_a_slow_domain_holds_up_nobody_else(server: Mails, tmp_path: Path) -> None:
    slow = [change(number, f"p{number}@slow.example.it") for number in range(2)]
    quick = [change(number, f"p{number}@quick{number % 3}.example.it") for number in range(10, 40)]

    class Slow(Paces):
        """Lets the slow domain have its second letter when all others have theirs."""

        given = 0

        def take(self, name: str) -> float:
            if name == "slow.example.it":
                if self.given and len(server.letters) <= len(quick):
                    return 0.01
                self.given += 1
            return super().take(name)

    with sink(tmp_path, server.port, connections=2) as letters:
        letters.courier.pace = Slow({})
        found = said(letters.upsert([*slow, *quick]))
    assert set(found.values()) == {DELIVERED}
    assert server.letters[-1].recipient.endswith("@slow.example.it")
    assert {mail.recipient for mail in server.letters[:-1]} >= {mail.payload["email"] for mail in quick}


def test_a_domain_that_puts_off_letter_after_letter_is_left_for_this_run(tmp_path: Path) -> None:
    full = {f"p{number}@full.example.it": ["452 4.2.2 full"] for number in range(10)}
    with mails(at_recipient=full) as server:
        changes = [change(number, f"p{number}@full.example.it") for number in range(10)]
        found = sent(tmp_path, server.port, [*changes, change(99)], domain_patience=3, connections=1)
        assert found.pop("c099") == DELIVERED
        assert sorted(code for _, code in found.values()) == ["4.2.2"] * 3 + ["domain_waits"] * 7
        assert sum(server.seen[recipient] for recipient in full) == 3


def test_outside_of_the_hours_nothing_is_sent_and_no_connection_made(server: Mails, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    closed = f"{now + timedelta(hours=3):%H:%M}-{now + timedelta(hours=5):%H:%M}"
    with pytest.raises(RetryLater, match="letters go out between"):
        sent(tmp_path, server.port, [change(1)], send_between=closed, time_zone="UTC")
    assert server.connections == 0
    opened = f"{now - timedelta(hours=3):%H:%M}-{now + timedelta(hours=5):%H:%M}"
    assert sent(tmp_path, server.port, [change(1)], send_between=opened, time_zone="UTC") == {"c001": DELIVERED}


def test_hours_that_end_while_letters_go_out_end_the_run_between_two_letters(
    server: Mails, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter([datetime(2026, 3, 6, 19, 59, tzinfo=UTC)] * 5 + [datetime(2026, 3, 6, 20, 0, tzinfo=UTC)] * 5)
    monkeypatch.setattr(Composer, "now", property(lambda _self: next(moments)))
    with pytest.raises(RetryLater, match="it is 20:00"):
        sent(tmp_path, server.port, [change(number) for number in range(9)], send_between="08:00-20:00", connections=1)
    assert len(server.letters) == 2


def test_paces_of_named_domains_and_the_total_are_shared_by_all_who_use_the_account() -> None:
    limits = paces({"gmail.com": "1/h", "total": "1/h", "default": "1/h"})
    first, second, other = (Paces(limits, (host, "aurora")) for host in ("relay.example", "relay.example", "other"))
    assert [first.take(name) for name in ("gmail.com", "total", "example.it")] == [0, 0, 0]
    assert second.take("gmail.com") > 0
    assert second.take("total") > 0
    assert second.take("example.it") == 0
    assert other.take("gmail.com") == 0
    for one in (first, second, other):
        one.close()


def test_a_shared_count_that_fails_leaves_the_pace_to_this_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path))
    pace = Paces(paces({"gmail.com": "1/h"}), ("relay.example", ""))
    assert pace.take("gmail.com") == 0
    with closing(sqlite3.connect(tmp_path / "limits.db")) as base:
        base.execute("drop table request")
    assert pace.take("gmail.com") == 0
    assert pace.take("gmail.com") > 0
    pace.close()


def test_a_journal_that_cannot_be_written_ends_the_run_before_another_letter(server: Mails, tmp_path: Path) -> None:
    def lose(_count: int) -> None:
        with closing(sqlite3.connect(tmp_path / "journal.db")) as base:
            base.execute("drop table letter")

    server.on_text = lose
    with pytest.raises(RetryLater, match="the journal of letters cannot be written"):
        sent(tmp_path, server.port, [change(number) for number in range(9)], connections=1)
    assert len(server.letters) == 1


def test_a_journal_that_cannot_be_opened_is_a_wrong_setting(server: Mails, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="setting journal"):
        sent(tmp_path, server.port, [change(1)], journal=tmp_path)


def test_dots_in_domains_that_meltano_took_for_levels_are_dots_again(tmp_path: Path) -> None:
    given = {"default": "10/s", "gmail": {"com": "2/s"}, "mail": {"example": {"it": "3/min"}}}
    found = settings_of(Settings, settings(tmp_path, pace=given), "target-smtp")
    assert found.pace == {"default": "10/s", "gmail.com": "2/s", "mail.example.it": "3/min"}


def test_who_is_erased_leaves_no_trace_in_journal_and_outbox(server: Mails, tmp_path: Path) -> None:
    with sink(tmp_path, server.port, outbox=tmp_path / "out") as letters:
        said(letters.upsert([change(1), change(2)]))
        letters.journal.taken(letters.composer.refs.path("c001"))
        assert said(letters.erase([change(1)])) == {"c001": DELIVERED}
        assert letters.journal.fates([letters.composer.refs.path("c001")]) == {}
        assert len([*(tmp_path / "out").rglob("*.eml")]) == 1


def test_a_sender_that_the_server_refuses_ends_the_run(tmp_path: Path) -> None:
    with mails(at_sender=["550 5.7.1 not you"] * 9) as server:
        with pytest.raises(ConfigError, match=r"refuses the sender \(5\.7\.1\)"):
            sent(tmp_path, server.port, [change(1)])
        assert server.letters == []


def test_a_server_that_refuses_everything_is_not_asked_for_every_letter(tmp_path: Path) -> None:
    refusing = {f"person{number}@example.it": ["554 5.7.1 relay access denied"] for number in range(100)}
    with mails(at_recipient=refusing) as server:
        with pytest.raises(ConfigError, match=r"took none, last with 5\.7\.1"):
            sent(tmp_path, server.port, [change(number) for number in range(100)])
        assert server.seen.total() < 40


def test_a_connection_carries_so_many_letters_and_no_more(server: Mails, tmp_path: Path) -> None:
    changes = [change(number) for number in range(10)]
    sent(tmp_path, server.port, changes, connections=1, letters_per_connection=4)
    assert server.connections == 3


def test_an_international_domain_is_written_in_ascii(server: Mails, tmp_path: Path) -> None:
    assert sent(tmp_path, server.port, [change(1, "ada@bücher-lädchen.it")]) == {"c001": DELIVERED}
    assert server.letters[0].recipient == "ada@xn--bcher-ldchen-mcb34a.it"


def test_an_international_local_part_needs_a_server_that_takes_it(tmp_path: Path) -> None:
    with mails() as server:
        assert sent(tmp_path, server.port, [change(1, "càda@example.it")]) == {"c001": DELIVERED}
        assert server.letters[0].recipient == "càda@example.it"
    with mails(wide=False) as server:
        assert sent(tmp_path, server.port, [change(2, "càda@example.it")]) == {"c002": ("refused", "no_smtputf8")}


@pytest.mark.parametrize(
    "address", ["a b@example.it", "a@example.it\r\nRCPT TO:<b@example.it>", "no-at", "a@b", "@x.it"]
)
def test_what_can_be_no_address_is_refused_before_the_server_sees_it(
    server: Mails, tmp_path: Path, address: str
) -> None:
    assert sent(tmp_path, server.port, [change(1, address)]) == {"c001": ("refused", "invalid_email")}
    assert server.connections == 0


def test_a_line_end_in_a_name_adds_no_header(server: Mails, tmp_path: Path) -> None:
    name = "Ada\r\nBcc: eve@example.org\r\n\r\nbody"
    sent(tmp_path, server.port, [change(1, first_name=name)], name="first_name")
    message = server.letters[0].message
    assert message["Bcc"] is None
    assert message["To"].addresses[0].display_name == "Ada Bcc: eve@example.org body"
    assert message["Subject"] == "Ada Bcc: eve@example.org body, da quanto tempo"


def test_a_line_of_one_dot_in_a_value_ends_no_letter(server: Mails, tmp_path: Path) -> None:
    (tmp_path / "dots.it.txt.j2").write_text("{% block subject %}Ciao{% endblock %}\n\n{{ first_name }}")
    name = "Ada\r\n.\r\nMAIL FROM:<eve@example.org>\n.\n..\r.\r"
    more = {"templates": tmp_path, "template": "dots", "languages": ["it"]}
    assert sent(tmp_path, server.port, [change(1, first_name=name)], **more) == {"c001": DELIVERED}
    (mail,) = server.letters
    assert mail.message.get_content().splitlines() == [
        "Ciao",
        "Ada",
        ".",
        "MAIL FROM:<eve@example.org>",
        ".",
        "..",
        ".",
    ]


def test_a_return_path_of_its_own_names_the_row_and_no_address(server: Mails, tmp_path: Path) -> None:
    more = {"return_path": "bounces@aurora.example", "verp": True}
    with sink(tmp_path, server.port, **more) as letters:
        list(letters.upsert([change(1), change(2, customer_id="Évènement/2")]))
        for mail in server.letters:
            local = mail.sender.partition("@")[0]
            key = letters.composer.refs.of_path(local.upper().partition("+")[2])
            assert key in ("c001", "Évènement/2")
            assert len(local) <= 64


def test_a_server_that_reports_failures_is_told_under_which_reference(tmp_path: Path) -> None:
    with mails(extensions=("DSN",)) as server, sink(tmp_path, server.port) as letters:
        list(letters.upsert([change(1)]))
        assert server.letters[0].options == ("RET=HDRS", f"ENVID={letters.composer.refs.path('c001')}")


def test_an_outbox_takes_the_letters_and_nothing_counts_as_delivered(server: Mails, tmp_path: Path) -> None:
    found = sent(tmp_path, server.port, [change(1), change(2, "")], outbox=tmp_path / "out")
    assert found == {"c001": ("retrying", "outbox"), "c002": ("refused", "no_email")}
    assert server.connections == 0
    (file,) = (tmp_path / "out" / "smtp__win_back").iterdir()
    assert file.suffix == ".eml"
    assert "c001" not in file.name
    assert file.stat().st_mode & 0o777 == 0o600
    assert sent(tmp_path, server.port, [change(1)]) == {"c001": DELIVERED}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"purpose": "email_marketing"}, "no way to unsubscribe"),
        ({"purpose": "service", "channel": "sms"}, "its channel is sms"),
    ],
)
def test_a_sync_that_letters_cannot_serve_is_refused_before_the_first(
    server: Mails, tmp_path: Path, given: dict[str, str], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        sent(tmp_path, server.port, [change(1, **given)], unsubscribe_url=None)
    assert server.connections == 0


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("pace", {"gmail.com": "fast"}, "write it as 10/s"),
        ("pace", {"gmail": "2/s"}, "gmail is no domain"),
        ("sender", "Aurora", "it is no mail address"),
        ("send_between", "8-20", "write it as 08:00-20:00"),
        ("time_zone", "Europe/Vicenza", "name one such as Europe/Rome"),
        ("bounces", {"folder": "INBOX"}, "it names no box"),
        ("unsubscribe_url", "https://aurora.example/leave", "unsubscribe_url"),
        ("unsubscribe_url", "http://aurora.example/leave/{token}", "unsubscribe_url"),
    ],
)
def test_a_wrong_setting_is_told_with_its_cure(tmp_path: Path, setting: str, value: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        settings_of(Settings, settings(tmp_path, **{setting: value}), "target-smtp")
