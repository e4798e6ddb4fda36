"""Settings of a connector: a pydantic model is the one place for types, defaults, descriptions and secrets.

``schema_of`` makes the SDK's ``config_jsonschema`` of it, ``settings_of`` the typed values of a configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from snello.errors import ConfigError, choices

Model = TypeVar("Model", bound=BaseModel)
Schema = dict[str, Any]


def schema_of(model: type[BaseModel]) -> Schema:
    """JSON schema of a settings model as the Singer SDK wants it: no references, ``secret`` marked, null allowed."""
    whole = model.model_json_schema()
    definitions = whole.pop("$defs", {})
    plain: Schema = _inlined(whole, definitions)
    plain.pop("additionalProperties", None)  # the SDK adds settings of its own; unknown ones are refused by `check`
    return plain


def _inlined(node: Any, definitions: Schema) -> Any:
    if isinstance(node, list):
        return [_inlined(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[-1]]
        return _inlined({**target, **{key: value for key, value in node.items() if key != "$ref"}}, definitions)
    plain = {key: _inlined(value, definitions) for key, value in node.items() if key != "title"}
    if isinstance(node.get("title"), dict):  # a property called title
        plain["title"] = _inlined(node["title"], definitions)
    variants = plain.get("anyOf", [])
    if len(variants) == 2 and {"type": "null"} in variants:
        other = next(variant for variant in variants if variant != {"type": "null"})
        if isinstance(other.get("type"), str) and "enum" not in other:
            del plain["anyOf"]
            plain = {**other, **plain, "type": [other["type"], "null"]}
    if plain.get("writeOnly") and plain.get("format") == "password":
        plain.pop("format")
        plain["secret"] = True
    if plain.get("default", ...) is None:
        plain.pop("default")
    return plain


def settings_of(model: type[Model], config: Mapping[str, Any], where: str) -> Model:
    """The settings as a typed value; keys that the model does not know are left to the SDK.

    Raises ``ConfigError`` naming the first wrong setting, never its value.
    """
    given = {key: value for key, value in config.items() if key in model.model_fields}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _told(error, model, where) from None


def _told(error: ValidationError, model: type[BaseModel], where: str) -> ConfigError:
    first = error.errors(include_input=False, include_url=False)[0]
    name = _dotted(first["loc"])
    if first["type"] == "missing":
        return ConfigError(where, f"setting {name} is missing", f"set {name}")
    if first["type"] == "extra_forbidden":
        valid = _names_beside(schema_of(model), first["loc"])
        return ConfigError(where, f"unknown setting {name}", choices(str(first["loc"][-1]), valid))
    message = first["msg"].removeprefix("Value error, ")
    what, _, cure = message.partition(". Next: ")
    return ConfigError(where, f"setting {name}: {what}", cure or f"give {name} a valid value")


def _dotted(loc: Sequence[int | str]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")


def _names_beside(schema: Schema, loc: Sequence[int | str]) -> list[str]:
    for part in loc[:-1]:
        if isinstance(part, int):
            schema = schema.get("items", {})
        else:
            schema = schema.get("properties", {}).get(part) or schema.get("additionalProperties") or {}
    return list(schema.get("properties", {}))


def check_names(schema: Schema, config: Mapping[str, Any], where: str) -> None:
    """Refuse settings that the connector does not have. Raises ``ConfigError`` with the nearest valid name."""
    valid = schema.get("properties", {})
    for name in config:
        if name not in valid:
            raise ConfigError(where, f"unknown setting {name}", choices(name, valid))


def secrets_in(schema: Schema, config: Any) -> Iterator[str]:
    """The values of all settings marked secret, at any depth."""
    secret = bool(schema.get("secret"))
    if isinstance(config, Mapping):
        for name, value in config.items():
            yield from secrets_in({"secret": True} if secret else schema.get("properties", {}).get(name, {}), value)
    elif isinstance(config, list):
        for value in config:
            yield from secrets_in({"secret": True} if secret else schema.get("items", {}), value)
    elif secret and isinstance(config, str):
        yield config
