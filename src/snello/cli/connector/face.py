"""The kit's public face: what authors of connectors may import, with signatures and what it is for."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

FACE = (
    "rest", "http", "sql", "files", "channel", "entry", "configuration", "schemas", "testing", "conformance",
    "conformance.targets", "conformance.taps",
)  # fmt: skip
LONGEST = 160  # characters of a signature; a longer one is read in the code


class _Written(str):
    """An annotation as it is written, without the quotes of a text."""

    __repr__ = str.__str__


def parts() -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Each part of the kit that exists: its module, what it says of itself, its names with what each is for."""
    for part in FACE:
        name = f"snello.kit.{part}"
        try:
            module = import_module(name)
        except ModuleNotFoundError as missing:
            if missing.name != name:
                raise
            continue
        yield name, _first(module), [(_called(each, thing), _first(thing)) for each, thing in _public(module)]


def _public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The names of ``__all__``, else the classes and functions that the module defines."""
    defined = [name for name, thing in vars(module).items() if getattr(thing, "__module__", "") == module.__name__]
    own = [name for name in defined if not name.startswith("_")]
    for name in sorted(getattr(module, "__all__", own), key=str.lower):
        thing = getattr(module, name)
        if callable(thing) and str(getattr(thing, "__module__", "")).startswith("snello."):  # a name for a type is none
            yield name, thing


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
    """The first paragraph of what a thing says of itself, up to the end of its first sentence."""
    told = (inspect.getdoc(thing) or "").partition("\n\n")[0]
    text = " ".join(line.strip() for line in told.splitlines())
    return text.partition(" - ``")[0]
