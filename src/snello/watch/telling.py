"""Tell alerts once: by webhook, by mail, and again only when they stand for long."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

from sqlalchemy import Column, DateTime, Integer, String, Table, delete, select

from snello.activation import Ledger
from snello.activation.tables import metadata
from snello.errors import ConfigError, RetryLater
from snello.kit.channel import BatchRefused, Http
from snello.watch.judgement import Alert
from snello.watch.observation import Observation

WHERE = "alerts"
AGAIN = timedelta(hours=24)  # an alert that stands is told again after so long
SECONDS = 30

told = Table(
    "alerts_told",
    metadata,
    Column("kind", String, primary_key=True),
    Column("place", String, primary_key=True),
    Column("about", String, nullable=False),
    Column("rows", Integer, nullable=False, default=0, comment="rows given up, of an alert on them"),
    Column("at", DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True)
class Addresses:
    """Where alerts go; both may be absent.

    - ``webhook``: a URL that takes JSON with the key `text`, as Slack, Mattermost and their kin do
    - ``mail``: ``smtp://user:password@host:587?from=hub@example.it&to=ops@example.it``; ``smtps``: TLS at once
    """

    webhook: str | None = None
    mail: str | None = None


def dead_before(ledger: Ledger) -> dict[str, int]:
    """Rows given up per sync when that was last told."""
    _made(ledger)
    rows = ledger.asked(select(told.c.place, told.c.rows).where(told.c.kind == "dead"))
    return {row["place"].removeprefix("sync "): row["rows"] for row in rows}


def tell(ledger: Ledger, seen: Observation, alerts: Sequence[Alert], to: Addresses) -> list[Alert]:
    """Send the alerts that were not told yet, or not for a day; those that were sent.

    Raises ``RetryLater`` when nobody took them: the next look tells them again. ``ConfigError`` for a wrong address.
    """
    _made(ledger)
    known = {(row["kind"], row["place"]): row for row in ledger.asked(select(told))}
    now = seen.at
    new = [alert for alert in alerts if _is_new(alert, known.get((alert.kind, alert.where)), now)]
    if new and (to.webhook or to.mail):
        _send(new, to)
    _remember(ledger, seen, alerts, new)
    return new


def _made(ledger: Ledger) -> None:
    told.create(ledger.engine, checkfirst=True)


def _is_new(alert: Alert, before: dict[str, object] | None, now: datetime) -> bool:
    if before is None or before["about"] != alert.about:
        return True
    at = before["at"]
    assert isinstance(at, datetime)
    return now - (at if at.tzinfo else at.replace(tzinfo=UTC)) > AGAIN


def _remember(ledger: Ledger, seen: Observation, alerts: Sequence[Alert], new: Sequence[Alert]) -> None:
    """What was told, and that what stands no longer may be told again; rows given up are compared with the most."""
    standing = {(alert.kind, alert.where) for alert in alerts}
    dead = {f"sync {sync.name}": sync.dead for sync in seen.syncs}
    with ledger.engine.begin() as connection:
        for row in connection.execute(select(told)).mappings().all():
            mine = (told.c.kind == row["kind"]) & (told.c.place == row["place"])
            if (row["kind"], row["place"]) in standing:
                continue
            if row["kind"] == "dead" and dead.get(row["place"], 0) >= row["rows"]:
                continue
            connection.execute(delete(told).where(mine))
        for alert in new:
            connection.execute(delete(told).where((told.c.kind == alert.kind) & (told.c.place == alert.where)))
            rows = dead.get(alert.where, 0) if alert.kind == "dead" else 0
            connection.execute(
                told.insert().values(kind=alert.kind, place=alert.where, about=alert.about, rows=rows, at=seen.at)
            )


def _send(alerts: Sequence[Alert], to: Addresses) -> None:
    if to.webhook:
        _post(alerts, to.webhook)
    if to.mail:
        _mail(alerts, to.mail)


def _post(alerts: Sequence[Alert], url: str) -> None:
    http = Http(WHERE, renew="check SNELLO_ALERT_WEBHOOK")
    told_as = [{"kind": one.kind, "where": one.where, "what": one.what, "cure": one.cure} for one in alerts]
    try:
        http.call("POST", url, place="the webhook", json={"text": "\n".join(map(str, alerts)), "alerts": told_as})
    except BatchRefused as fault:
        raise ConfigError(WHERE, f"the webhook refuses them ({fault.status})", "check SNELLO_ALERT_WEBHOOK") from None
    finally:
        http.close()


def _mail(alerts: Sequence[Alert], url: str) -> None:
    parts = urlsplit(url)
    sender, receivers = _people(url)
    message = EmailMessage()
    message["Subject"] = f"Snello: {alerts[0].kind}, {len(alerts)} alert{'' if len(alerts) == 1 else 's'}"
    message["From"], message["To"] = sender, ", ".join(receivers)
    message.set_content("\n\n".join(map(str, alerts)) + "\n")
    try:
        with _server(parts.scheme, parts.hostname or "", parts.port) as server:
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(message)
    except smtplib.SMTPAuthenticationError:
        raise ConfigError(WHERE, "the mail server refuses the login", "check SNELLO_ALERT_MAIL") from None
    except (OSError, smtplib.SMTPException) as error:
        what = f"the mail server did not take them ({type(error).__name__})"
        raise RetryLater(WHERE, what, "check SNELLO_ALERT_MAIL; the next look tells them again") from None


def _people(url: str) -> tuple[str, list[str]]:
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    receivers = [one for text in asked.get("to", []) for one in text.split(",") if one]
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or not receivers:
        cure = "write it as smtp://user:password@host:587?from=hub@example.it&to=ops@example.it"
        raise ConfigError("SNELLO_ALERT_MAIL", "it names no mail server or no receiver", cure)
    return asked.get("from", ["snello@localhost"])[0], receivers


def _server(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    secure = ssl.create_default_context()
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=SECONDS, context=secure)
    server = smtplib.SMTP(host, port or 25, timeout=SECONDS)
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=secure)
        server.ehlo()
    return server
