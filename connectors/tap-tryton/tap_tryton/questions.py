"""How the REST interface of a Tryton server is asked what JSON-RPC is asked, and how rows are made flat."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snello.kit.rest import Request, Row


@dataclass(frozen=True)
class Question:
    """Rows of a model: which ones, which of their fields, in what order, how many."""

    model: str
    domain: Sequence[Any]
    fields: Sequence[str]
    order: Sequence[Any] = ()
    limit: int | None = None

    def request(self, root: str, context: Mapping[str, Any]) -> Request:
        """The request for these rows, below the database's address."""
        size = {"s": self.limit} if self.limit else {}
        params = {"d": _packed(self.domain), "o": _packed(self.order or None), "f": list(self.fields), **size}
        headers = {"X-Tryton-Context": _packed(context)}
        return Request("GET", f"{root}/rest/model/{self.model}", params, headers=headers)


def method(root: str, name: str, arguments: Mapping[str, Any]) -> Request:
    """The request that calls a method of a model."""
    model, _, called = name.rpartition(".")
    return Request("POST", f"{root}/rest/model/{model}/{called}", json=dict(arguments))


def flat(row: Row, related: Sequence[str]) -> Row:
    """A row with the fields that it points to beside its own: ``lang.code`` as ``lang_code``."""
    pointing = {path.partition(".")[0] for path in related}
    plain = {name: value for name, value in row.items() if name.rstrip(".") not in pointing}  # JSON-RPC adds a dot
    for path in related:
        name, _, inner = path.partition(".")
        pointed = row.get(f"{name}.") or row.get(name)
        plain[f"{name}_{inner}"] = pointed[inner] if isinstance(pointed, dict) else None
    return plain


def _packed(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode()
