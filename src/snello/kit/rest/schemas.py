"""The declared schema of a stream: a JSON Schema file of its own, or a component of an OpenAPI document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from snello.errors import ContractError


def declared_schema(folder: Path, name: str, openapi: tuple[str, str] | None) -> dict[str, Any]:
    """The schema of the stream ``name`` of the module in ``folder``. Raises ``ContractError`` when there is none."""
    if openapi is not None:
        from snello.kit.schemas.openapi import schema_from  # for those who use it

        document, component = openapi
        return schema_from(folder / "schemas" / document, component)
    file = folder / "schemas" / f"{name}.json"
    try:
        found: dict[str, Any] = json.loads(file.read_text())
    except FileNotFoundError:
        cure = "write it, or let `snello tap infer` write it"
        raise ContractError(f"stream {name}", f"there is no schemas/{name}.json beside its module", cure) from None
    except ValueError:
        raise ContractError(f"stream {name}", f"schemas/{name}.json is not valid JSON", "mend the file") from None
    return found
