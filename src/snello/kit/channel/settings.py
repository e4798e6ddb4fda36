"""Settings that every channel has, and the ones that the hub answers when a plugin does not name them."""

from __future__ import annotations

import os

from pydantic import BaseModel, Field, SecretStr

from snello.errors import ConfigError
from snello.kit.channel.http import Retry
from snello.settings import load, project_root


class ChannelSettings(BaseModel):
    """Settings of every activation target; a connector's own settings extend them."""

    ledger: SecretStr | None = Field(None, description="SQLAlchemy URL of the ledger. Default: SNELLO_LEDGER.")
    fail_on_refused: bool = Field(
        False, description="Exit with code 5 when the channel refused rows; otherwise a warning tells of them."
    )
    max_attempts: int = Field(
        10, ge=1, description="Runs after which a row that the channel keeps putting off is given up (status dead)."
    )
    timeout: float = Field(30, gt=0, description="Seconds to wait for an answer of the channel.")
    retry_attempts: int = Field(5, ge=1, description="Tries of one call within a run.")
    max_wait: float = Field(
        60,
        ge=0,
        description="Longest wait between two tries, in seconds; when the channel asks for more, the run ends.",
    )

    @property
    def retry(self) -> Retry:
        """How calls are tried again."""
        return Retry(attempts=self.retry_attempts, timeout=self.timeout, max_wait=self.max_wait)


def from_hub(name: str, given: str | None) -> str:
    """A plugin's own value, else the hub's setting ``name``: lake, ledger or salt.

    Outside of a project its variable counts as it is. Raises ``ConfigError`` when there is neither.
    """
    if given:
        return given
    variable = f"SNELLO_{name.upper()}"
    try:
        project_root()
    except ConfigError:
        if not os.environ.get(variable):
            cure = f"set {variable}, or run the command inside a Snello project"
            raise ConfigError(f"setting {name}", "it is not set", cure) from None
        return os.environ[variable]
    found = getattr(load(), name)
    return found.get_secret_value() if isinstance(found, SecretStr) else str(found)
