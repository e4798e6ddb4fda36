"""Elements of an XML stream as records: attributes as ``@name``, children by name, several of one name as a list."""

from __future__ import annotations

from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

DEEPEST = 100
_NIL = "http://www.w3.org/2001/XMLSchema-instance"


class Malformed(Exception):
    """What the parser lets through and a row must not hold."""


class _Open(NamedTuple):
    name: str
    tag: str  # as it stood, to open it again in a fresh parser
    prefixes: dict[str, str]


class Elements:
    """Told of tags and text, gathers each element at a path such as ``shop/receipts/receipt``.

    - ``namespaces``: prefixes of the path and of the names of fields; when empty, local names count
    - ``inside``: whether such an element is open
    """

    def __init__(self, path: str, namespaces: dict[str, str]) -> None:
        self._path = path.strip("/").split("/")
        self._prefix_of = {uri: prefix for prefix, uri in namespaces.items()}
        self._outer: list[_Open] = []
        self._nodes: list[tuple[str, dict[str, Any], list[str], dict[str, str]]] = []

    @property
    def local_name(self) -> str:
        """Name of the elements that are rows, without prefix."""
        return self._path[-1].rpartition(":")[2]

    @property
    def inside(self) -> bool:
        """Whether a row is open."""
        return bool(self._nodes)

    @property
    def around(self) -> str:
        """The tags of the open elements around the rows."""
        return "".join(each.tag for each in self._outer)

    def leave(self) -> None:
        """Give the open row up."""
        self._nodes.clear()

    def begin(self, tag: str, attributes: dict[str, str]) -> bool:
        """A start tag; whether a row begins with it. Raises ``Malformed`` when elements are nested too deeply."""
        prefixes = self._prefixes(attributes)
        name = self._name(tag, prefixes)
        first = not self._nodes
        if first and [*(each.name for each in self._outer), name] != self._path:
            written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
            self._outer.append(_Open(name, f"<{tag}{written}>", prefixes))
            return False
        if len(self._nodes) == DEEPEST:
            raise Malformed(f"elements nested deeper than {DEEPEST}")
        fields: dict[str, Any] = {}
        for key, value in attributes.items():
            local = key.rpartition(":")[2]
            is_nil = local == "nil" and prefixes.get(key.rpartition(":")[0]) == _NIL
            if not key.startswith("xmlns") and not is_nil:
                fields[f"@{self._name(key, prefixes) if ':' in key else key}"] = value
        self._nodes.append((name, fields, [], prefixes))
        return first

    def end(self) -> dict[str, Any] | None:
        """An end tag; the record when it closes a row."""
        if not self._nodes:
            self._outer.pop()
            return None
        name, fields, texts, _ = self._nodes.pop()
        text = "".join(texts)
        if self._nodes:
            if fields and text.strip():
                fields["#text"] = text.strip()
            _put(self._nodes[-1][1], name, fields or text or None)
            return None
        if text.strip():
            fields["#text"] = text.strip()
        return fields

    def text(self, text: str) -> None:
        """Text in the innermost element."""
        if self._nodes:
            self._nodes[-1][2].append(text)

    def _prefixes(self, attributes: dict[str, str]) -> dict[str, str]:
        """Prefixes and what they stand for; the empty one for names without any."""
        around = self._nodes[-1][3] if self._nodes else self._outer[-1].prefixes if self._outer else {}
        if not attributes or not any(name.startswith("xmlns") for name in attributes):
            return around
        declared = {key[6:]: uri for key, uri in attributes.items() if key == "xmlns" or key.startswith("xmlns:")}
        return {**around, **declared}

    def _name(self, tag: str, prefixes: dict[str, str]) -> str:
        if not self._prefix_of and ":" not in tag:
            return tag
        prefix, _, local = tag.rpartition(":")
        known = self._prefix_of.get(prefixes.get(prefix, ""))
        return f"{known}:{local}" if known else local


def _put(fields: dict[str, Any], name: str, value: Any) -> None:
    if name not in fields:
        fields[name] = value
    elif isinstance(fields[name], list):
        fields[name].append(value)
    else:
        fields[name] = [fields[name], value]
