"""What goes wrong with places and bytes, as one sentence each; told by the names of the libraries' own exceptions."""

from __future__ import annotations

import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree.ElementTree import ParseError

from snello.errors import ConfigError, ContractError, RetryLater, SnelloError

_CREDENTIALS = "check the credentials in storage_options, and what they may read"
_DAMAGED = (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, lzma.LZMAError, zlib.error, ParseError)

# exception class of a store's library → kind of fault, what, cure
_TOLD: dict[str, tuple[type[SnelloError], str, str]] = {
    "BadHostKeyException": (
        ConfigError,
        "the host key is not the one in known_hosts",
        "ask the server's owner whether it changed; if so, replace its line in known_hosts",
    ),
    "UnknownHostKey": (
        ConfigError,
        "the host key of the server is unknown",
        "check it and add it to known_hosts, or set storage_options.accept_unknown_host to true",
    ),
    "PasswordRequiredException": (
        ConfigError,
        "the key file asks for a passphrase",
        "set storage_options.passphrase",
    ),
    "AuthenticationException": (ConfigError, "the server refused the login", _CREDENTIALS),
    "NoCredentialsError": (ConfigError, "there are no credentials", "set key and secret in storage_options"),
    "PermissionError": (ConfigError, "the server denied access", _CREDENTIALS),
    "ClientConnectorCertificateError": (
        ConfigError,
        "the certificate of the server does not verify",
        "set storage_options.ca_file to the authority that signed it",
    ),
    "SSLError": (
        ConfigError,
        "the certificate of the server does not verify",
        "set AWS_CA_BUNDLE to the authority that signed it",
    ),
    "gaierror": (ConfigError, "there is no host of that name", "check the address"),
    "ClientConnectorDNSError": (ConfigError, "there is no host of that name", "check the address"),
    "EndpointConnectionError": (RetryLater, "the server cannot be reached", "check the address, or run again later"),
    "ClientConnectorError": (RetryLater, "the server cannot be reached", "check the address, or run again later"),
    "NoValidConnectionsError": (RetryLater, "the server cannot be reached", "check the address, or run again later"),
    "ConnectionError": (RetryLater, "the server went away", "run again: nothing is lost"),
    "ClientError": (RetryLater, "the server went away", "run again: nothing is lost"),
    "HTTPClientError": (RetryLater, "the server went away", "run again: nothing is lost"),
    "BotoCoreError": (RetryLater, "the store does not answer as it should", "run again: nothing is lost"),
    "SSHException": (RetryLater, "the server went away", "run again: nothing is lost"),
    "SFTPError": (RetryLater, "the server went away", "run again: nothing is lost"),
    "TimeoutError": (RetryLater, "the server takes too long", "run again: nothing is lost"),
}


@contextmanager
def faults_of_store(where: str, otherwise: str) -> Iterator[None]:
    """Tell what a place elsewhere, or its network, does wrong; ``otherwise``: what any other ``OSError`` means."""
    try:
        yield
    except SnelloError:
        raise
    except Exception as error:
        fault = _told(error, where, otherwise)
        if fault is None:
            raise
        raise fault from None


def _told(error: Exception, where: str, otherwise: str) -> SnelloError | None:
    status = getattr(error, "status", None)
    if isinstance(status, int) and status >= 400:
        return _of_status(status, where)
    for cls in type(error).__mro__:
        if cls.__name__ in _TOLD:
            kind, what, cure = _TOLD[cls.__name__]
            return kind(where, what, cure)
    # paramiko says so of a channel that the server closed between two requests
    if isinstance(error, EOFError) or error.args == ("Socket is closed",):
        return RetryLater(where, "the server went away", "run again: nothing is lost")
    if isinstance(error, OSError):
        what = f"{otherwise} ({type(error).__name__})"
        return ContractError(where, what, "check the address, the permissions and storage_options")
    return None


def _of_status(status: int, where: str) -> SnelloError:
    if status in (401, 403, 407):
        return ConfigError(where, f"the server denied access ({status})", _CREDENTIALS)
    if status in (408, 425, 429) or status >= 500:
        return RetryLater(where, f"the server answered {status}", "run again later: nothing is lost")
    return ContractError(where, f"the server answered {status}", "check the address")


@contextmanager
def faults_of_reading(where: str) -> Iterator[None]:
    """Tell damaged or unreadable bytes as a ``ContractError``."""
    try:
        yield
    except BrokenPipeError:
        raise  # the loader is gone, the file is not at fault
    except _DAMAGED as error:
        what = f"the data are damaged or end too early ({type(error).__name__})"
        raise ContractError(where, what, "fetch the file again") from None
    except UnicodeDecodeError:
        raise ContractError(where, "the bytes are not in the declared encoding", "set the encoding") from None
    except OSError as error:
        what = f"the file cannot be read ({type(error).__name__})"
        raise ContractError(where, what, "check that it exists and may be read") from None
