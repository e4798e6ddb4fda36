"""The kinds of places: a path or URL and ``storage_options`` to an fsspec file system."""

from __future__ import annotations

import base64
import ssl
from inspect import signature
from typing import Any, TypeVar

import fsspec
from fsspec.core import split_protocol, url_to_fs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from snello.errors import ConfigError, choices

Options = TypeVar("Options", bound=BaseModel)
CONNECT_SECONDS, ANSWER_SECONDS = 15, 60


class SftpOptions(BaseModel):
    """``storage_options`` of ``sftp://user@host:port/path``."""

    model_config = ConfigDict(extra="forbid")

    username: str | None = Field(None, description="Login; the current user's, or that of the URL, when absent.")
    password: str | None = Field(None, description="Password of the login.")
    key_file: str | None = Field(None, description="Private key; those of the agent and ~/.ssh when absent.")
    passphrase: str | None = Field(None, description="Passphrase of the private key.")
    known_hosts: str | None = Field(None, description="File of known host keys; the user's and system's when absent.")
    accept_unknown_host: bool = Field(False, description="Talk to a server whose host key is not known.")


class HttpOptions(BaseModel):
    """``storage_options`` of ``https://host/path``."""

    model_config = ConfigDict(extra="forbid")

    headers: dict[str, str] = Field({}, description="Headers of every request, such as Authorization.")
    username: str | None = Field(None, description="User of basic authentication.")
    password: str | None = Field(None, description="Password of basic authentication.")
    ca_file: str | None = Field(None, description="Certificates of the authority that signed the server's.")


def opened(path: str, options: dict[str, Any], where: str) -> tuple[Any, str]:
    """The file system of a path or URL, and the path in it. Raises ``ConfigError`` when there is no such place."""
    protocol = split_protocol(path)[0] or "file"
    try:
        match protocol:
            case "sftp" | "ssh":
                return _sftp(path, options, where)
            case "http" | "https":
                return _http(path, options, where)
            case "s3" | "s3a":
                return url_to_fs(path, **_s3(options, where))  # type: ignore[no-any-return]
            case "file" | "local":
                return url_to_fs(path)  # type: ignore[no-any-return]
            case _:
                return url_to_fs(path, **options)  # type: ignore[no-any-return]
    except ImportError as error:
        package = error.name or str(error).rpartition(" ")[2] or "its own"
        raise ConfigError(where, f"path needs a package that is missing ({package})", "install it") from None
    except ValueError:
        what = f"path: no kind of place is called {protocol!r}"
        raise ConfigError(where, what, choices(protocol, ("file", "sftp", "s3", "https", "http"))) from None


def _sftp(path: str, options: dict[str, Any], where: str) -> tuple[Any, str]:
    from snello.kit.files.sftp import SftpStore  # paramiko takes long to import

    named = SftpStore._get_kwargs_from_urls(path)
    if not named.get("host"):
        raise ConfigError(where, "path names no host", "write it as sftp://user@host/folder/*.csv")
    given = _checked(SftpOptions, options, where).model_dump(exclude_none=True)
    named.setdefault("username", None)
    login = {**named, **given}
    try:
        return SftpStore(**login), SftpStore._strip_protocol(path)
    except ConfigError as error:
        raise ConfigError(where, error.what, error.cure) from None


def _http(path: str, options: dict[str, Any], where: str) -> tuple[Any, str]:
    import aiohttp

    given = _checked(HttpOptions, options, where)
    headers = dict(given.headers)
    if given.username is not None:
        pair = f"{given.username}:{given.password or ''}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    # no bound on the whole answer, as a large file takes its time; one on silence
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=ANSWER_SECONDS)
    asked: dict[str, Any] = {"headers": headers}
    if given.ca_file is not None:
        try:
            asked["ssl"] = ssl.create_default_context(cafile=given.ca_file)
        except OSError:
            what = "storage_options.ca_file holds no certificates"
            raise ConfigError(where, what, "name a file of PEM certificates") from None
    client = {"timeout": timeout, "trust_env": True}
    return fsspec.filesystem("http", client_kwargs=client, skip_instance_cache=True, **asked), path


def _s3(options: dict[str, Any], where: str) -> dict[str, Any]:
    from s3fs import S3FileSystem

    valid = {name for name in signature(S3FileSystem.__init__).parameters if name not in ("self", "kwargs")}
    _known(options, valid | {"region", "profile"}, where)
    given = dict(options)
    region = given.pop("region", None)
    if region:
        given["client_kwargs"] = {**given.get("client_kwargs", {}), "region_name": region}
    return given


def _checked(model: type[Options], options: dict[str, Any], where: str) -> Options:
    _known(options, set(model.model_fields), where)
    try:
        return model.model_validate(options)
    except ValidationError as error:
        name = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        what = f"setting storage_options.{name} does not fit its type"
        raise ConfigError(where, what, f"give storage_options.{name} a valid value") from None


def _known(options: dict[str, Any], valid: set[str], where: str) -> None:
    for name in options:
        if name not in valid:
            raise ConfigError(where, f"unknown setting storage_options.{name}", choices(name, valid))
