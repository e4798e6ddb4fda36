"""Settings of target-smtp."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from snello.kit.channel import ChannelSettings, ConfigError
from snello.kit.mail.boxes import Account, Box, Folder, Imap
from snello.kit.mail.dkim import Signer
from snello.kit.mail.headers import mailbox
from snello.kit.mail.hours import Hours, zone
from snello.kit.mail.line import Security, Server
from snello.kit.mail.rounds import Paces, paces


class Dkim(BaseModel):
    """Signing by this target, for a relay that does not sign."""

    model_config = ConfigDict(extra="forbid")

    domain: str = Field(description="Domain that signs: the sender's, or one above it.")
    selector: str = Field(description="Name under which the public key stands in DNS, below `_domainkey`.")
    key: SecretStr = Field(description="Private RSA key in PEM format.")


class Bounces(BaseModel):
    """The box to which reports come back: a Maildir, or a folder behind IMAP."""

    model_config = ConfigDict(extra="forbid")

    maildir: Path | None = Field(None, description="Folder of a Maildir.")
    host: str | None = Field(None, description="IMAP server, instead of a Maildir.")
    port: int | None = Field(None, ge=1, le=65535, description="Its port. Default: 993, without TLS 143.")
    security: Security = Field("tls", description="How it speaks: tls, starttls or none.")
    username: str | None = Field(None, description="Whose mailbox.")
    password: SecretStr | None = Field(None, description="Password of the mailbox.")
    folder: str = Field("INBOX", description="Folder of the mailbox.")

    @model_validator(mode="after")
    def _one(self) -> Bounces:
        behind = self.host and self.username and self.password
        if bool(self.maildir) == bool(behind):
            raise ValueError("it names no box. Next: set maildir, or host, username and password")
        return self

    def open(self, server: Server) -> Box:
        """The box. Raises ``ConfigError`` or ``RetryLater`` as it does."""
        if self.maildir is not None:
            return Folder(self.maildir)
        assert self.host
        assert self.username
        assert self.password
        password = self.password.get_secret_value()
        context = None if self.security == "none" else server.context
        return Imap(
            Account(self.host, self.username, password, self.port, self.security, self.folder, server.timeout, context)
        )


class Settings(ChannelSettings):
    """Settings of target-smtp."""

    host: str = Field(description="The relay that takes the letters.")
    port: int | None = Field(None, ge=1, le=65535, description="Its port. Default: 587, with tls 465, with none 25.")
    security: Security = Field(
        "starttls", description="starttls, tls from the first byte, or none, for a relay on the same machine."
    )
    username: str | None = Field(None, description="Login at the relay; it is sent encrypted or not at all.")
    password: SecretStr | None = Field(None, description="Password at the relay.")
    ca_file: Path | None = Field(None, description="Authorities (PEM) to trust instead of the system's.")
    helo: str | None = Field(None, description="Name by which this machine greets. Default: its own.")

    sender: str = Field(description="From whom, as `Aurora <news@aurora.example>`.")
    reply_to: str | None = Field(None, description="Where answers go. Default: the sender.")
    return_path: str | None = Field(None, description="Where failures go. Default: the sender's address.")
    verp: bool = Field(
        False, description="Give each letter a return path of its own, `bounces+<reference>@…`: the box must take them."
    )
    secret: SecretStr = Field(
        min_length=16, description="Key of the signatures in unsubscribe links and references; keep it for years."
    )

    templates: Path = Field(description="Folder of the templates.")
    template: str | None = Field(
        None, description="Name of the letter, before the language. Default: the sync's list, else the sync's name."
    )
    languages: list[str] = Field(["it"], min_length=1, description="Languages that the letter is written in.")
    fallback: str | None = Field(
        None, description="Language for who speaks none of these or is not known. Default: such rows are refused."
    )
    email: str = Field("email", description="The audience's column with the address.")
    name: str | None = Field(None, description="Column with the name that stands before the address.")
    language: str = Field("language", description="Column with the language.")
    stage: str = Field("lifecycle_stage", description="Column whose value may have a voice, a template of its own.")

    unsubscribe_url: str | None = Field(
        None,
        pattern=r"^https://.*\{token\}",
        description="Where one click unsubscribes, with `{token}` in it; it must take a POST (RFC 8058).",
    )
    unsubscribe_mail: str | None = Field(None, description="Address that takes unsubscriptions by mail.")

    pace: dict[str, Any] = Field(
        {"default": "10/s"},
        description="Most letters by domain, such as `gmail.com: 2/s`; `default` for each other one, `total` for all.",
    )
    connections: int = Field(4, ge=1, le=50, description="Connections at once.")
    letters_per_connection: int = Field(100, ge=1, description="Letters after which a connection is made anew.")
    batch_size: int = Field(5000, ge=1, le=50_000, description="Letters among which a slow domain holds up nobody.")
    domain_patience: int = Field(
        20, ge=1, description="Letters in a row that a domain may put off; then the rest of it waits for the next run."
    )
    send_between: str | None = Field(None, description="Hours in which letters go out, such as 08:00-20:00.")
    time_zone: str = Field("Europe/Rome", description="Where these hours and the weekday are meant.")
    in_doubt: Literal["hold", "repeat"] = Field(
        "hold", description="A letter that may have arrived, for no answer came: hold it back, or send it once more."
    )
    journal: Path | None = Field(
        None, description="File that tells letters begun from letters not begun. Default: in SNELLO_STATE."
    )
    outbox: Path | None = Field(
        None, description="Folder to which letters are written as .eml files; none is sent, none counts as delivered."
    )

    bounces: Bounces | None = Field(None, description="The box to which failures, complaints and unsubscriptions come.")
    soft_bounces: int = Field(3, ge=1, description="Passing failures of one mailbox that are as good as a lasting one.")
    soft_days: int = Field(30, ge=1, description="Days within which they must come.")
    dkim: Dkim | None = Field(None, description="Sign here. Default: the relay signs.")

    @field_validator("sender", "reply_to", "return_path", "unsubscribe_mail")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None:
            mailbox(value)
        return value

    @field_validator("send_between")
    @classmethod
    def _hours(cls, value: str | None) -> str | None:
        if value is not None:
            Hours.parse(value)
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        zone(value)
        return value

    @field_validator("pace")
    @classmethod
    def _paces(cls, value: dict[str, Any]) -> dict[str, str]:
        flat = dict(_dotted(value))
        try:
            paces(flat)
        except ConfigError as fault:
            raise ValueError(f"{fault.what}. Next: {fault.cure}") from None
        return flat

    @model_validator(mode="after")
    def _encrypted(self) -> Settings:
        if self.username is not None and self.security == "none":
            raise ValueError("a password would travel in clear. Next: set security to starttls or tls")
        return self

    @property
    def server(self) -> Server:
        """The relay."""
        password = self.password.get_secret_value() if self.password else None
        return Server(
            self.host, self.port, self.security, self.username, password, self.ca_file, self.helo, self.timeout
        )

    @property
    def paces(self) -> Paces:
        """Buckets for the domains."""
        return Paces(paces(self.pace), (self.host, self.username or ""))

    @property
    def signer(self) -> Signer | None:
        """Who signs here, if anybody."""
        return Signer(self.dkim.domain, self.dkim.selector, self.dkim.key.get_secret_value()) if self.dkim else None


def _dotted(given: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Meltano takes the dots of a domain for levels: ``gmail.com: 2/s`` arrives as ``gmail: {com: 2/s}``."""
    for name, value in given.items():
        if isinstance(value, Mapping):
            yield from _dotted(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", str(value)
