"""Names of files: what a run, a sync and a part are called, and nothing of anybody."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

from snello.errors import ConfigError, choices

FIELDS = ("sync", "list", "run_id", "op", "date", "part")
NEEDED = ("run_id", "part")


@dataclass(frozen=True)
class Names:
    """Makes names by a template; ``suffix``: what format and compression add. Raises ``ConfigError`` for a bad one."""

    where: str
    template: str
    sync: str
    list: str
    suffix: str

    def __post_init__(self) -> None:
        try:
            fields = [name for _, name, form, _ in string.Formatter().parse(self.template) if name is not None or form]
        except ValueError:
            raise self._wrong("setting name does not parse", "put {{ and }} around names of values alone") from None
        for name in fields:
            if name not in FIELDS:
                raise self._wrong(f"setting name: there is no value {name}", choices(str(name), FIELDS))
        missing = [name for name in NEEDED if name not in fields]
        if missing:
            raise self._wrong(
                f"setting name lacks {missing[0]}", f"add {{{missing[0]}}}: no two files may share a name"
            )
        if "/" in self.template or self.template.startswith("."):
            raise self._wrong("setting name is no plain name", "put folders into path, and no point in front")

    def file(self, run: str, op: str, part: int) -> str:
        """The name of one part."""
        return (
            self.template.format(
                sync=_plain(self.sync),
                list=_plain(self.list),
                run_id=_plain(run),
                op=op,
                date=run[:8],
                part=f"{part:04}",
            )
            + self.suffix
        )

    def manifest(self, run: str) -> str:
        """The name of the file that says which parts there are."""
        return f"{_plain(self.sync)}_{_plain(run)}.manifest.json"

    @property
    def journal(self) -> str:
        """The name of the file that knows of a run that is under way."""
        return f".{_plain(self.sync)}.open.json"

    def _wrong(self, what: str, cure: str) -> ConfigError:
        return ConfigError(self.where, what, cure)


def _plain(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text)
