"""The kit's public face: what authors of connectors may import, with signatures and what it is for."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from pydantic import BaseModel

FACE = (
    "rest", "http", "sql", "files", "channel", "entry", "configuration", "schemas", "testing", "conformance",
    "conformance.targets", "conformance.taps",
)  # fmt: skip
LONGEST = 160  # characters of a signature; a longer one is told as the names of its parameters
REQUIRED = "required"
_POINT = re.compile(r"((?:``\w+``(?:, | and )?)+): (.+)", re.DOTALL)


class _Written(str):
    """An annotation as it is written, without the quotes of a text."""

    __repr__ = str.__str__


@dataclass(frozen=True)
class Parameter:
    """What a value or a function takes; ``default`` is ``required`` where there is none."""

    name: str
    type: str
    default: str
    meaning: str


@dataclass(frozen=True)
class Named:
    """A name of the kit.

    - ``called``: with its parameters, as far as they fit a line; ``meaning``: the first paragraph of what it says
    - ``points``: what else it says, but for what speaks of one parameter
    """

    called: str
    meaning: str
    parameters: list[Parameter] = field(default_factory=list)
    points: list[str] = field(default_factory=list)


def parts() -> Iterator[tuple[str, str, list[tuple[str, Named]]]]:
    """Each part of the kit that exists: its module, what it says of itself, its names with what each is for."""
    for part in FACE:
        name = f"snello.kit.{part}"
        try:
            module = import_module(name)
        except ModuleNotFoundError as missing:
            if missing.name != name:
                raise
            continue
        yield name, _first(module), [(each, described(each, thing)) for each, thing in _public(module)]


def described(name: str, thing: Any) -> Named:
    """What a class, a value or a function of the kit says of itself."""
    told, points = {}, []
    for point in _points(thing):
        about = _POINT.fullmatch(point)
        names = re.findall(r"``(\w+)``", about[1]) if about else []
        told.update(dict.fromkeys(names, about[2] if about else ""))
        points.append((names, point))
    parameters = list(_parameters(thing, told))
    known = {each.name for each in parameters}
    rest = [point for names, point in points if not names or not known.issuperset(names)]
    return Named(_called(name, thing), _first(thing), parameters, rest)


def _points(thing: Any) -> list[str]:
    """The points of a docstring, each in one line."""
    lines = (inspect.getdoc(thing) or "").partition("\n\n")[2].splitlines()
    listed = "\n".join(line for line in lines if line.startswith(("- ", "  ")))
    return [" ".join(point.split()) for point in re.split(r"^- ", listed, flags=re.MULTILINE) if point.strip()]


def _parameters(thing: Any, told: Mapping[str, str]) -> Iterator[Parameter]:
    if inspect.isclass(thing) and issubclass(thing, BaseModel):
        for name, each in thing.model_fields.items():
            default = REQUIRED if each.is_required() else _shown(each.get_default(call_default_factory=True))
            yield Parameter(name, str(thing.__annotations__.get(name, "")), default, str(each.description or ""))
    elif is_dataclass(thing):
        for one in fields(thing):
            if not one.name.startswith("_") and one.init:
                made = one.default_factory() if one.default_factory is not MISSING else one.default
                yield Parameter(one.name, str(one.type), _shown(made), told.get(one.name, ""))
    elif inspect.isfunction(thing):
        for given in inspect.signature(thing).parameters.values():
            empty, kind = given.default is given.empty, given.annotation
            default = "any" if given.kind in (given.VAR_KEYWORD, given.VAR_POSITIONAL) else _shown(given.default)
            yield Parameter(
                given.name,
                "" if kind is given.empty else str(kind),
                REQUIRED if empty and default != "any" else default,
                told.get(given.name, ""),
            )


def _shown(value: Any) -> str:
    if value is MISSING:
        return REQUIRED
    text = repr(value)
    return "…" if text.startswith("<") or len(text) > 60 else text


def _public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The names of ``__all__``, else the classes and functions that the module defines."""
    defined = [name for name, thing in vars(module).items() if getattr(thing, "__module__", "") == module.__name__]
    own = [name for name in defined if not name.startswith("_")]
    for name in sorted(getattr(module, "__all__", own), key=str.lower):
        thing = getattr(module, name)
        if callable(thing) and str(getattr(thing, "__module__", "")).startswith("snello."):  # a name for a type is none
            yield name, typing.get_origin(thing) or thing


def _called(name: str, thing: Any) -> str:
    """A function or a value with its parameters; a class to inherit from by its name alone."""
    if inspect.isclass(thing) and not is_dataclass(thing):
        return name
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return name
    parameters = [_plain(each) for each in signature.parameters.values() if not each.name.startswith("_")]
    returned = signature.return_annotation
    text = name + str(signature.replace(parameters=parameters, return_annotation=_annotation(returned)))
    text = text.removesuffix(" -> None")
    return text if len(text) <= LONGEST else f"{name}({', '.join(each.name for each in parameters)})"


def _plain(parameter: inspect.Parameter) -> inspect.Parameter:
    default = parameter.default
    if default is not parameter.empty and (len(repr(default)) > 30 or repr(default).startswith("<")):
        default = _Written("…")
    return parameter.replace(annotation=_annotation(parameter.annotation), default=default)


def _annotation(given: Any) -> Any:
    return _Written(given) if isinstance(given, str) else given


def _first(thing: Any) -> str:
    """The first paragraph of what a thing says of itself."""
    told = (inspect.getdoc(thing) or "").partition("\n\n")[0]
    return " ".join(line.strip() for line in told.splitlines())
