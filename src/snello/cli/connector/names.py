"""What a new connector is called, everywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass

from snello.errors import ConfigError

_PLAIN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST = 40


@dataclass(frozen=True)
class Names:
    """The names of ``tap-my-shop``: package ``tap_my_shop``, class ``TapMyShop``, title ``My Shop``."""

    role: str
    plain: str

    @property
    def name(self) -> str:
        """The connector, its folder and its command."""
        return f"{self.role}-{self.plain}"

    @property
    def package(self) -> str:
        """Its Python package, and its namespace in Meltano."""
        return self.name.replace("-", "_")

    @property
    def title(self) -> str:
        """The system, as a sentence calls it."""
        return self.plain.replace("-", " ").title()

    @property
    def stem(self) -> str:
        """What class names begin with."""
        return "".join(part.capitalize() for part in self.plain.split("-"))

    @property
    def class_name(self) -> str:
        """The plugin's class."""
        return f"{self.role.capitalize()}{self.stem}"

    @property
    def variable(self) -> str:
        """What its variables of the environment begin with."""
        return self.package.upper()


def names(role: str, given: str) -> Names:
    """The names for what somebody typed, ``shop`` or ``tap-shop``. Raises ``ConfigError`` for what cannot be one."""
    plain = given.removeprefix(f"{role}-")
    if not _PLAIN.fullmatch(plain) or len(plain) > LONGEST:
        near = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-0123456789")[:LONGEST].rstrip("-")
        hint = f"such as {near!r}" if _PLAIN.fullmatch(near) else "such as my-shop"
        what = f"{given!r} is no name for a {role}"
        raise ConfigError(f"snello new {role}", what, f"take lower-case letters, digits and single hyphens, {hint}")
    return Names(role, plain)
