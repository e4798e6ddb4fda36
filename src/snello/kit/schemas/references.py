"""A document with references in it, to itself and to files beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import yaml
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from snello.errors import ConfigError, ContractError

_Resolver = Any  # of `referencing`, which does not name the type for others
_ROOT = "file:///document"


@dataclass(frozen=True)
class Place:
    """A node of a document, and from where its references count."""

    node: Mapping[str, Any]
    resolver: _Resolver

    def at(self, node: object) -> Place:
        """A node below this one; what is no mapping says nothing."""
        return Place(node if isinstance(node, Mapping) else {}, self.resolver)


class Document:
    """A document in memory or in a file; other files are read when a reference leads there, from its folder only."""

    def __init__(self, root: Mapping[str, Any], name: str, folder: Path | None = None) -> None:
        self.root, self.name = root, name
        self._folder = folder.resolve() if folder else None
        registry: Registry[Any] = Registry(retrieve=self._beside)  # type: ignore[call-arg]
        resource = DRAFT202012.create_resource(root)
        self._resolver = registry.with_resource(_ROOT, resource).resolver(_ROOT)

    @classmethod
    def of(cls, given: Mapping[str, Any] | Path) -> Document:
        """The document, or that of a file. Raises ``ConfigError`` when the file cannot be read."""
        if isinstance(given, Path):
            return cls(_read(given), given.name, given.parent)
        return cls(given, "OpenAPI document")

    def top(self, node: object) -> Place:
        """A node of the document itself."""
        return Place({}, self._resolver).at(node)

    def find(self, pointer: str) -> Place:
        """The node at a JSON pointer. Raises ``ContractError`` when there is none."""
        return self.follow(self.top(self.root), pointer)

    def follow(self, place: Place, reference: str) -> Place:
        """The node that a reference leads to. Raises ``ContractError`` when it leads nowhere."""
        try:
            found = place.resolver.lookup(reference)
        except (Unresolvable, KeyError, ValueError, RecursionError):
            what = f"the reference {reference!r} leads nowhere"
            raise ContractError(self.name, what, "mend the document, or put the file that is meant beside it") from None
        return Place(found.contents if isinstance(found.contents, Mapping) else {}, found.resolver)

    def _beside(self, uri: str) -> Resource[Any]:
        name = unquote(urlsplit(uri).path).lstrip("/")
        path = (self._folder / name).resolve() if self._folder else None
        if path is None or self._folder is None or not path.is_relative_to(self._folder) or not path.is_file():
            raise KeyError(uri)
        return DRAFT202012.create_resource(_read(path))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_bytes()
        found = msgspec.json.decode(text) if path.suffix == ".json" else yaml.load(text, _Loader)
    except OSError:
        raise ConfigError(path.name, f"there is no such file in {path.parent.name}/", "name an existing file") from None
    except (msgspec.DecodeError, yaml.YAMLError):
        raise ConfigError(path.name, "it is neither whole JSON nor whole YAML", "mend the file") from None
    if not isinstance(found, Mapping):
        raise ConfigError(path.name, "it holds no mapping", "name an OpenAPI document")
    return found


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
