"""Phrases by language and day: data beside the templates, so that who writes letters can mend them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from snello.errors import ConfigError

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SHIPPED = Path(__file__).with_name("phrases.yaml")


class Phrases(BaseModel):
    """What is said in one language: ``weekday`` by the day of sending, ``words`` always."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weekday: dict[str, str] = Field(default_factory=dict)
    words: dict[str, str] = Field(default_factory=dict)

    def on(self, day: date) -> str | None:
        """The phrase of a day; None when there is none."""
        return self.weekday.get(DAYS[day.weekday()])


def phrases_in(folder: Path) -> dict[str, Phrases]:
    """Phrases by language: the shipped ones, and over them those of ``phrases.yaml`` beside the templates.

    Raises ``ConfigError`` naming the file and the place in it.
    """
    found = _read(SHIPPED)
    own = folder / "phrases.yaml"
    if own.exists():
        for language, phrases in _read(own).items():
            given = found.get(language, Phrases())
            found[language] = Phrases(weekday=given.weekday | phrases.weekday, words=given.words | phrases.words)
    return found


def _read(path: Path) -> dict[str, Phrases]:
    try:
        raw: Any = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}" if mark else ""
        raise ConfigError(path.name, f"it is no readable YAML{place}", "mend the file") from None
    if not isinstance(raw, Mapping):
        raise ConfigError(path.name, "it holds no languages", "begin each part with a language, such as it:")
    for language in raw:
        if not isinstance(language, str):  # no, for Norwegian, is a truth value in YAML
            raise ConfigError(path.name, f"{language} is no language", 'write it in quotes, such as "no":')
    return {language: _checked(path, language, said or {}) for language, said in raw.items()}


def _checked(path: Path, language: str, said: Any) -> Phrases:
    try:
        phrases = Phrases.model_validate(said)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        cure = "below a language stand weekday: and words:, each with texts"
        raise ConfigError(path.name, f"{language}.{place} is not understood", cure) from None
    for day in phrases.weekday:
        if day not in DAYS:
            raise ConfigError(path.name, f"{language}.weekday.{day} is no day", f"valid: {', '.join(DAYS)}")
    return phrases
