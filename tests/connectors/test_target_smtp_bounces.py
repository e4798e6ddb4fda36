"""What comes back of letters: whose it is, what it means, and out of which box."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from tests.connectors.smtp_letters import SECRET, sink
from tests.servers.imap import PASSWORD, USER, Imap, imap

from snello.errors import ConfigError, RetryLater
from snello.kit.mail.refs import Refs
from snello.kit.mail.reports import Reason, read

__all__ = ["imap"]

SYNC = "smtp__win_back"
REFS = Refs(SECRET.encode(), SYNC)
GONE = "ada@gone.example.it"


def message_id(key: str, refs: Refs = REFS) -> str:
    return f"<{refs.message(key, '0' * 32)}@aurora.example>"


def failure(
    key: str, status: str = "5.1.1", *, action: str = "failed", given_back: str = "", to: str = "", days: int = 0
) -> bytes:
    """A report as Postfix writes them; the letter is given back as headers unless said otherwise."""
    given_back = given_back or f"Content-Type: text/rfc822-headers\n\nMessage-ID: {message_id(key)}\nSubject: Ciao\n"
    moment = format_datetime(datetime.now(UTC) - timedelta(days=days))
    return dedent(
        """\
        Date: {moment}
        From: MAILER-DAEMON@mx.example
        To: {to}
        Subject: Undelivered Mail Returned to Sender
        Auto-Submitted: auto-replied
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status; boundary="b"

        --b
        Content-Type: text/plain

        I could not deliver your letter to {gone}.

        --b
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.example
        Final-Recipient: rfc822; {gone}
        Action: {action}
        Status: {status}
        Diagnostic-Code: smtp; 550 no such user here

        --b
        {given_back}
        --b--
        """
    ).format(
        moment=moment, to=to or "bounces@aurora.example", gone=GONE, action=action, status=status,
        given_back=given_back,
    ).encode()  # fmt: skip


def complaint(key: str, kind: str = "abuse") -> bytes:
    """A complaint as a provider's feedback loop sends it."""
    return dedent(
        f"""\
        From: feedback@provider.example
        Subject: FW: Ciao
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=feedback-report; boundary="b"

        --b
        Content-Type: text/plain

        This is a report about an e-mail.

        --b
        Content-Type: message/feedback-report

        Feedback-Type: {kind}
        User-Agent: Provider/1.0
        Version: 1

        --b
        Content-Type: message/rfc822

        From: news@aurora.example
        Message-ID: {message_id(key)}
        Subject: Ciao

        Ciao Ada
        --b--
        """
    ).encode()


def mail(subject: str, text: str = "", **headers: str) -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = GONE, "leave@aurora.example", subject
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return bytes(made)


def reason(raw: bytes) -> tuple[str, Reason] | None:
    found = read(raw, REFS)
    return (found.key, found.reason) if found else None


@pytest.mark.parametrize(
    ("status", "action", "told"),
    [
        ("5.1.1", "failed", "hard"),
        ("5.1.10", "failed", "hard"),
        ("5.2.1", "failed", "hard"),
        ("5.2.2", "failed", "soft"),
        ("5.7.1", "failed", "soft"),
        ("4.4.7", "failed", "soft"),
        ("4.4.7", "delayed", "none"),
        ("2.0.0", "delivered", "none"),
    ],
)
def test_a_report_of_failure_means_what_its_code_says(status: str, action: str, told: str) -> None:
    assert reason(failure("c001", status, action=action)) == ("c001", told)


@pytest.mark.parametrize(
    ("said", "told"),
    [("smtp; 550 5.1.1 <x> unknown", "hard"), ("smtp; 550 no", "soft"), ("smtp; 550 5.7.1 from 5.1.1.9", "soft")],
)
def test_a_report_that_says_no_more_than_failed_is_read_by_what_its_server_was_told(said: str, told: str) -> None:
    raw = failure("c001", "5.0.0").replace(b"smtp; 550 no such user here", said.encode())
    assert reason(raw) == ("c001", told)


def test_whose_a_report_is_stands_in_the_letter_in_the_envelope_or_in_the_return_path() -> None:
    whole = f"Content-Type: message/rfc822\n\nFrom: news@aurora.example\nMessage-ID: {message_id('c001')}\n\nCiao\n"
    assert reason(failure("c001", given_back=whole)) == ("c001", "hard")
    nothing = "Content-Type: text/plain\n\nnothing is given back\n"
    assert reason(failure("c001", given_back=nothing)) is None
    returned = f"bounces+{REFS.path('c002').upper()}@aurora.example"
    assert reason(failure("c001", given_back=nothing, to=returned)) == ("c002", "hard")
    enveloped = failure("c001", given_back=nothing).replace(
        b"Reporting-MTA",
        b"Original-Envelope-Id: " + REFS.path("Tè/3").replace("=", "+3D").encode() + b"\nReporting-MTA",
    )
    assert reason(enveloped) == ("Tè/3", "hard")


def test_a_report_that_nobody_of_this_sync_signed_is_not_ours() -> None:
    other = Refs(SECRET.encode(), "smtp__other")
    assert reason(failure("c001").replace(message_id("c001").encode(), message_id("c001", other).encode())) is None
    forged = message_id("c001").replace("c001", "c002")
    assert reason(failure("c001").replace(message_id("c001").encode(), forged.encode())) is None


@pytest.mark.parametrize(
    ("kind", "told"),
    [("abuse", "complaint"), ("fraud", "complaint"), ("not-spam", "none"), ("opt-out", "unsubscribed")],
)
def test_a_complaint_is_one_and_a_praise_is_none(kind: str, told: str) -> None:
    assert reason(complaint("c001", kind)) == ("c001", told)


def test_a_mail_with_the_token_unsubscribes_whatever_a_client_puts_before_it() -> None:
    token = REFS.leave("c001", "c001")
    assert reason(mail(token)) == ("c001", "unsubscribed")
    assert reason(mail(f"R: {token}")) == ("c001", "unsubscribed")
    assert reason(mail(token[:-1] + "0")) is None
    assert reason(mail("unsubscribe")) is None


def test_an_answer_and_an_absence_say_nothing() -> None:
    assert reason(mail("R: Ciao", "grazie", In_Reply_To=message_id("c001"))) == ("c001", "none")
    away = mail("Away", "until Monday", In_Reply_To=message_id("c001"), Auto_Submitted="auto-replied")
    assert reason(away) == ("c001", "none")


def test_a_bounce_of_no_standard_is_known_by_how_its_server_writes() -> None:
    qmail = dedent(
        f"""\
        From: MAILER-DAEMON@mx.example
        To: bounces+{REFS.path("c001")}@aurora.example
        Subject: failure notice

        Hi. This is the qmail-send program at mx.example.
        I'm afraid I wasn't able to deliver your message to the following addresses.
        This is a permanent error; I've given up. Sorry it didn't work out.

        <{GONE}>:
        Sorry, no mailbox here by that name. (#5.1.1)

        --- Below this line is a copy of the message.
        """
    )
    assert reason(qmail.encode()) == ("c001", "hard")


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe\x00", b"Content-Type: multipart/report\n\n--", b"Subject: " + b"a" * 10**6]
)
def test_what_is_no_report_is_left_alone(raw: bytes) -> None:
    assert reason(raw) is None


Put = Callable[[bytes], None]


def into(maildir: Path) -> Put:
    """Puts messages into a Maildir as a delivery does."""

    def put(raw: bytes) -> None:
        number = len([*maildir.glob("*/*")])
        name = f"{1700000000 + number}.M{number}.mx"
        (maildir / "tmp" / name).write_bytes(raw)
        owner = (maildir / "new").stat()
        os.chown(maildir / "tmp" / name, owner.st_uid, owner.st_gid)
        (maildir / "tmp" / name).rename(maildir / "new" / name)

    return put


def maildir(folder: Path) -> Path:
    for part in ("cur", "new", "tmp"):
        (folder / "box" / part).mkdir(parents=True)
    return folder / "box"


def bounced(folder: Path, box: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    with sink(folder, bounces=box, **more) as letters:
        return [(bounce.key, bounce.reason) for bounce in letters.bounced()]


def tried(folder: Path, put: Put, box: dict[str, Any], **more: Any) -> None:
    """The same story for every kind of box."""
    put(failure("c001"))
    put(complaint("c002"))
    put(mail(REFS.leave("c003", "c003")))
    put(mail("R: Ciao", In_Reply_To=message_id("c004")))
    assert bounced(folder, box, **more) == [("c001", "hard"), ("c002", "complaint"), ("c003", "unsubscribed")]
    assert bounced(folder, box, **more) == []
    for number in range(5, 7):
        put(failure(f"c{number:03}", "4.2.2"))
    assert bounced(folder, box, **more) == []
    put(failure("c007", "4.2.2"))
    assert bounced(folder, box, **more) == [("c007", "hard")]


def test_a_maildir_is_read_once_and_soft_failures_count_by_mailbox(tmp_path: Path) -> None:
    box = maildir(tmp_path)
    tried(tmp_path, into(box), {"maildir": box})
    assert not [*box.glob("new/*")]
    assert len([*box.glob("cur/*:2,FS")]) == 3


def test_soft_failures_of_long_ago_count_no_more(tmp_path: Path) -> None:
    box = maildir(tmp_path)
    for days in (40, 35, 0):
        into(box)(failure("c001", "4.2.2", days=days))
        assert bounced(tmp_path, {"maildir": box}, soft_bounces=2) == []
    into(box)(failure("c001", "4.2.2"))
    assert bounced(tmp_path, {"maildir": box}, soft_bounces=2) == [("c001", "hard")]


def test_reports_about_another_sync_wait_for_it(tmp_path: Path) -> None:
    box = maildir(tmp_path)
    into(box)(failure("c001"))
    assert bounced(tmp_path, {"maildir": box}, sync="smtp__other") == []
    assert bounced(tmp_path, {"maildir": box}) == [("c001", "hard")]


def test_a_run_that_dies_before_it_wrote_down_what_came_reads_it_again(tmp_path: Path) -> None:
    box = maildir(tmp_path)
    into(box)(failure("c001"))
    with sink(tmp_path, bounces={"maildir": box}) as letters:
        assert [bounce.key for bounce in letters.bounced()] == ["c001"]
        del letters.__dict__["returns"]  # as if nothing that comes after were reached
    assert bounced(tmp_path, {"maildir": box}) == [("c001", "hard")]


def test_a_folder_that_is_no_maildir_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no Maildir"):
        bounced(tmp_path, {"maildir": tmp_path})


def test_a_mailbox_behind_imap_is_read_once_and_soft_failures_count(tmp_path: Path, imap: Imap) -> None:
    box = {"host": "127.0.0.1", "port": imap.tls_port, "username": USER, "password": PASSWORD}
    tried(tmp_path, into(imap.maildir), box, ca_file=imap.ca_file)
    assert bounced(tmp_path, box, ca_file=imap.ca_file) == []


@pytest.mark.parametrize(
    ("more", "fault", "told"),
    [
        ({"password": "wrong"}, ConfigError, "refuses the login or the folder"),
        ({"folder": "Nowhere"}, ConfigError, "refuses the login or the folder"),
        ({"port": 1}, RetryLater, "no connection to the mailbox"),
    ],
)
def test_a_mailbox_that_cannot_be_read_is_told_without_its_password(
    tmp_path: Path, imap: Imap, more: dict[str, Any], fault: type[Exception], told: str
) -> None:
    box = {"host": "127.0.0.1", "port": imap.port, "security": "starttls", "username": USER, "password": PASSWORD}
    with pytest.raises(fault, match=told) as error:
        bounced(tmp_path, {**box, **more}, ca_file=imap.ca_file)
    assert PASSWORD not in str(error.value)


def test_an_imap_server_whose_certificate_nobody_vouches_for_is_not_told_the_password(
    tmp_path: Path, imap: Imap
) -> None:
    box = {"host": "127.0.0.1", "port": imap.tls_port, "username": USER, "password": PASSWORD}
    with pytest.raises(ConfigError, match="certificate does not verify"):
        bounced(tmp_path, box)
