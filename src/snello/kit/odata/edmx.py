"""The metadata document of an OData service, version 4: which entity sets there are, of what properties and keys.

Section numbers are those of OData CSDL XML Representation 4.01; see docs/contracts/odata.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from xml.etree import ElementTree
from xml.parsers import expat

from snello.errors import ContractError
from snello.kit.odata.edm import EntitySet, Property

Element = ElementTree.Element

DESCRIPTION = "Org.OData.Core.V1.Description"
LONG_DESCRIPTION = "Org.OData.Core.V1.LongDescription"
LABEL = "com.sap.vocabularies.Common.v1.Label"
CAPABILITIES = "Org.OData.Capabilities.V1."
_COLLECTION = "Collection("


def entity_sets(content: bytes, where: str) -> tuple[EntitySet, ...]:
    """The entity sets of a metadata document, in its order. Raises ``ContractError`` when it is none of OData 4."""
    return _Document(_root(content, where), where).sets()


def _root(content: bytes, where: str) -> Element:
    guard = expat.ParserCreate()
    guard.StartDoctypeDeclHandler = _refuse  # entities could be nested without end, or point into this machine
    try:
        guard.Parse(content, True)
        root = ElementTree.fromstring(content)
    except _Doctype:
        raise ContractError(where, "the metadata document has a DOCTYPE", "ask for one without") from None
    except (expat.ExpatError, ElementTree.ParseError):
        raise ContractError(where, "the metadata document is not whole XML", "check the URL of the service") from None
    if _local(root) != "Edmx":
        raise ContractError(where, "there is no OData metadata document", "check the URL of the service")
    if not root.get("Version", "").startswith("4."):
        what = "the service speaks OData 2 or 3, and only version 4 is read"
        raise ContractError(where, what, "give the URL of the service's version 4")
    return root


class _Doctype(Exception):
    pass


def _refuse(*_: object) -> None:
    raise _Doctype


class _Document:
    """The document, with its names resolved."""

    def __init__(self, root: Element, where: str) -> None:
        self.where = where
        self.schemas = [each for each in root.iter() if _local(each) == "Schema"]
        named = [each for each in root.iter() if _local(each) in ("Include", "Schema") and each.get("Alias")]
        self._aliases = {each.get("Alias", ""): each.get("Namespace", "") for each in named}
        self._types: dict[str, Element] = {}
        self._annotations: dict[str, list[Element]] = {}
        for schema in self.schemas:
            for child in schema:
                if _local(child) in ("EntityType", "ComplexType", "EnumType", "TypeDefinition"):
                    self._types[f"{schema.get('Namespace')}.{child.get('Name')}"] = child
                elif _local(child) == "Annotations":
                    target = self.resolved(child.get("Target", ""))
                    self._annotations.setdefault(target, []).extend(_all(child, "Annotation"))

    def resolved(self, name: str) -> str:
        """A qualified name with its namespace in place of an alias (15.3)."""
        start, dot, rest = name.partition(".")
        return f"{self._aliases[start]}.{rest}" if dot and start in self._aliases else name

    def sets(self) -> tuple[EntitySet, ...]:
        """The entity sets of all containers (13.2)."""
        found = []
        for schema in self.schemas:
            for container in _all(schema, "EntityContainer"):
                place = f"{schema.get('Namespace')}.{container.get('Name')}"
                found += [self._set(each, f"{place}/{each.get('Name')}") for each in _all(container, "EntitySet")]
        return tuple(found)

    def _set(self, element: Element, target: str) -> EntitySet:
        name, of = element.get("Name", ""), self.resolved(element.get("EntityType", ""))
        line = list(self._line(of, name))
        terms = _Terms(self, element, target)
        properties = [self._property(p, owner) for owner, type_ in line for p in _all(type_, "Property")]
        links = [n for _, type_ in line for n in _all(type_, "NavigationProperty")]
        keys = [r.get("Name", "") for _, type_ in line for key in _all(type_, "Key") for r in _all(key, "PropertyRef")]
        known = {each.name: each for each in properties}
        return EntitySet(
            name,
            tuple(keys) if all(key in known for key in keys) else (),  # a key inside of a complex property is none
            known,
            {link.get("Name", ""): link.get("Type", "").startswith(_COLLECTION) for link in links},
            terms.text or _Terms(self, self._types[of], of).text,
            terms.says("ReadRestrictions", "Readable", True),
            terms.says("ChangeTracking", "Supported", False),
            terms.says("CountRestrictions", "Countable", True),
            terms.says("SkipSupported", None, True),
            terms.says("FilterRestrictions", "Filterable", True),
            terms.says("SortRestrictions", "Sortable", True),
            terms.paths("FilterRestrictions", "NonFilterableProperties"),
            terms.paths("SortRestrictions", "NonSortableProperties"),
        )

    def _line(self, name: str, of: str) -> Iterator[tuple[str, Element]]:
        """A type and those that it derives from (6.1), the eldest first. Raises ``ContractError``."""
        line: list[tuple[str, Element]] = []
        while name:
            if name not in self._types or any(name == met for met, _ in line):
                what = f"the metadata document does not explain the type of {of}"
                raise ContractError(self.where, what, "have the service's metadata mended")
            line.append((name, self._types[name]))
            name = self.resolved(self._types[name].get("BaseType", ""))
        return reversed(line)

    def _property(self, element: Element, owner: str) -> Property:
        name, declared = element.get("Name", ""), element.get("Type", "")
        collection = declared.startswith(_COLLECTION)
        type_ = self.resolved(declared.removeprefix(_COLLECTION).removesuffix(")"))
        facets = dict(element.attrib)
        own = self._types.get(type_)
        if own is not None and _local(own) == "TypeDefinition":  # (11.1)
            facets = {**own.attrib, **facets}
            type_ = own.get("UnderlyingType", "Edm.String")
        elif own is not None:
            type_ = "enum" if _local(own) == "EnumType" else "complex"
        scale = facets.get("Scale")
        return Property(
            name,
            type_,
            collection,
            facets.get("Nullable", "true") != "false",
            int(facets["Precision"]) if facets.get("Precision", "").isdigit() else None,
            int(scale) if scale is not None and scale.isdigit() else scale,
            _Terms(self, element, f"{owner}/{name}").text,
        )


class _Terms:
    """The annotations of one element: those inside of it, and those that name it from elsewhere (14.2.2)."""

    def __init__(self, document: _Document, element: Element, target: str) -> None:
        given = [*_all(element, "Annotation"), *document._annotations.get(target, [])]
        self._by_term = {document.resolved(each.get("Term", "")): each for each in given}

    @cached_property
    def text(self) -> str:
        """What the service says that it is; its short description before its label."""
        for term in (DESCRIPTION, LONG_DESCRIPTION, LABEL):
            found = self._by_term.get(term)
            text = (found.get("String") or found.findtext("{*}String") or "") if found is not None else ""
            if text.strip():
                return " ".join(text.split())
        return ""

    def says(self, term: str, name: str | None, otherwise: bool) -> bool:
        """The truth of a capability, or of one of its properties."""
        found = self._value(term, name)
        text = found.get("Bool") or found.findtext("{*}Bool") if found is not None else None
        return text == "true" if text else otherwise

    def paths(self, term: str, name: str) -> frozenset[str]:
        """The property paths of a capability."""
        found = self._value(term, name)
        return (
            frozenset(each.text or "" for each in found.iter() if _local(each) == "PropertyPath")
            if found is not None
            else _NONE
        )

    def _value(self, term: str, name: str | None) -> Element | None:
        found = self._by_term.get(CAPABILITIES + term)
        if found is None or name is None:
            return found
        return next((each for each in found.iter() if each.get("Property") == name), None)


_NONE: frozenset[str] = frozenset()


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _all(element: Element, name: str) -> Iterator[Element]:
    return (each for each in element if _local(each) == name)
