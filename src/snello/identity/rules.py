"""The rules that say when two records are one person: a seed in words, and the values that may join nobody."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from snello.errors import ConfigError, choices
from snello.identifiers import normalise_card, normalise_email, normalise_phone, tax_code_canonical
from snello.identity.contradictions import Contradictions

__all__ = ["KINDS", "Blocked", "Rule", "check_seeds", "read_blocklist", "read_rules"]

# What the hub itself finds in records; a source may give further kinds.
KINDS = (
    "address", "birth_date", "card", "device", "email", "handle", "landline", "mobile", "name_birth", "phone", "ssn",
    "tax_code",
)  # fmt: skip


def _kind(value: str) -> str:
    near = get_close_matches(value, KINDS, n=1, cutoff=0.75)
    if value not in KINDS and near:
        raise ValueError(f"unknown kind {value!r}; {choices(value, KINDS)}")
    return value


Kind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$"), AfterValidator(_kind)]


def _name(value: str) -> str:
    if value in ("likelihood", "decision"):
        raise ValueError(f"{value!r} is how the hub names evidence that no rule gave")
    return value


# An empty cell of a CSV file.
Maybe = BeforeValidator(lambda value: None if value == "" else value)


class Rule(BaseModel):
    """Two records that share a value are one person when they agree as far as the words ask.

    - ``share``: what they have in common; ``phone`` is a ``mobile`` or a ``landline``
    - ``name``: ``same``; ``like`` (given and family name, slips and nicknames allowed); ``given`` (the given name, the
      surname may have changed); ``not_different``; ``any``
    - ``birth_date``: ``stated`` (the same, and said by both beside any tax code); ``same``; ``like`` (a slip);
      ``not_different``; ``any``
    - ``tax_code``: ``same``, ``not_different`` or ``any``; ``home``: ``same`` or ``any``
    - ``strength``: of the evidence, above 0 and below 1: certain is only what a person decided
    - ``max_people``: a value that more people have joins nobody; the smallest of the rules on one kind counts
    - ``half_life_days``: after so many days between the two sightings of the value the strength is half; empty: never
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$"), AfterValidator(_name)]
    share: Kind
    name: Literal["same", "like", "given", "not_different", "any"]
    birth_date: Literal["stated", "same", "like", "not_different", "any"]
    tax_code: Literal["same", "not_different", "any"]
    home: Literal["same", "any"]
    strength: float = Field(gt=0, lt=1)
    max_people: int = Field(ge=1)
    half_life_days: Annotated[Annotated[int, Field(ge=1)] | None, Maybe]
    description: str = Field(min_length=1)


def _day(value: str) -> str | None:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError(f"write the day as 1900-12-31, not {value!r}") from None


_WRITTEN: dict[str, Callable[[str], str | None]] = {
    "email": normalise_email,
    "phone": normalise_phone,
    "card": normalise_card,
    "tax_code": tax_code_canonical,
    "birth_date": _day,
}


class Blocked(BaseModel):
    """A value that says nothing of a person; ``%`` stands for anything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    value: str = Field(min_length=1)
    reason: str = Field(min_length=1)

    @field_validator("value")
    @classmethod
    def _as_kept(cls, value: str, said: ValidationInfo) -> str:
        """A value that the hub keeps otherwise would never be met with."""
        if "%" in value:
            kept = value.lower() if said.data.get("kind") == "email" else value
        else:
            written = _WRITTEN.get(str(said.data.get("kind")))
            kept = (written(value) if written else None) or value
        if kept != value:
            raise ValueError(f"the hub keeps it as {kept!r}; write it so")
        return value


Row = TypeVar("Row", bound=BaseModel)


def read_rules(path: Path) -> list[Rule]:
    """The rules of a seed; raises ``ConfigError`` naming row and column of the first that cannot be."""
    return list(_rows(path, Rule, lambda rule: (rule.rule,)))


def read_blocklist(path: Path) -> list[Blocked]:
    """The blocklist of a seed; raises ``ConfigError`` naming row and column of the first entry that cannot be."""
    return list(_rows(path, Blocked, lambda entry: (entry.kind, entry.value)))


def check_seeds(seeds: Path) -> None:
    """Read rules, blocklist and contradictions in a folder of seeds; raises ``ConfigError`` when a row cannot be."""
    readers: Mapping[str, Callable[[Path], object]] = {
        "identity_rules.csv": read_rules,
        "blocklist.csv": read_blocklist,
        "identity_contradictions.csv": Contradictions.read,
    }
    for name, read in readers.items():
        if (seeds / name).exists():
            read(seeds / name)


def _rows(path: Path, model: type[Row], key: Callable[[Row], tuple[str, ...]]) -> Iterator[Row]:
    """Each line of a seed as a row, checked; no two rows have one key."""
    where = f"seeds/{path.name}"
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = csv.DictReader(file, restkey="", restval="")
        _check_columns(where, lines.fieldnames or (), model)
        seen: dict[tuple[str, ...], int] = {}
        for number, line in enumerate(lines, start=2):
            if "" in line:
                raise ConfigError(f"{where} row {number}", "more cells than columns", "put the description in quotes")
            try:
                row = model.model_validate(line)
            except ValidationError as fault:
                raise _told(f"{where} row {number}", fault, model) from None
            before = seen.setdefault(key(row), number)
            if before != number:
                what = f"{' '.join(key(row))!r} stands in row {before} already"
                raise ConfigError(f"{where} row {number}", what, "rename or remove one of the two")
            yield row


def _check_columns(where: str, given: Sequence[str], model: type[BaseModel]) -> None:
    wanted = list(model.model_fields)
    for name in given:
        if name not in wanted:
            raise ConfigError(where, f"unknown column {name!r}; {choices(name, wanted)}", "rename or remove it")
    missing = [name for name in wanted if name not in given]
    if missing:
        raise ConfigError(where, f"no column {', '.join(missing)}", "add it to the first line and to each row")


def _told(where: str, fault: ValidationError, model: type[BaseModel]) -> ConfigError:
    """The first fault of a row in one sentence."""
    error = fault.errors(include_url=False)[0]
    column, given = str(error["loc"][0]), error["input"]
    if error["type"] == "literal_error":
        what = f"{column} cannot be {given!r}; {choices(str(given), get_args(_words(model, column)))}"
    elif error["type"] == "value_error":
        what = f"{column}: {error['ctx']['error']}"
    else:
        what = f"{column} cannot be {given!r}: {error['msg'][0].lower()}{error['msg'][1:]}"
    return ConfigError(where, what, "mend the row")


def _words(model: type[BaseModel], column: str) -> Any:
    return model.model_fields[column].annotation
