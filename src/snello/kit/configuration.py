"""Settings of a connector: a pydantic model is the one place for types, defaults, descriptions and secrets.

``schema_of`` makes the SDK's ``config_jsonschema`` of it, ``settings_of`` the typed values of a configuration,
``resolved`` fetches the secrets that a configuration only names.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from dotenv import dotenv_values
from pydantic import BaseModel, ValidationError

from snello.errors import ConfigError, choices
from snello.settings import project_root

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
    for _, value in _secrets(schema, config, ()):
        yield value


def resolved(schema: Schema, config: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The configuration with the secrets that it names in place of their names.

    - ``file:/run/secrets/token``: the content of a file, without the space around it
    - ``env:NAME``: a variable, else a line of the project's ``.env``
    - ``keyring:service/user``: an entry of the system's keyring
    - raises ``ConfigError`` naming the setting and the source, never a value
    """
    whole: dict[str, Any] = copy.deepcopy(dict(config))
    for path, value in list(_secrets(schema, whole, ())):
        scheme, _, rest = value.partition(":")
        if scheme in SOURCES and rest:
            holder: Any = whole
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = SOURCES[scheme](rest, f"setting {_dotted(path)}", where)
    return whole


def _secrets(schema: Schema, config: Any, path: tuple[int | str, ...]) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Place and value of each text marked secret."""
    variants = list(_variants(schema))
    secret = any(variant.get("secret") for variant in variants)
    if isinstance(config, Mapping):
        for name, value in config.items():
            below = {"anyOf": [_property(variant, name) for variant in variants]}
            yield from _secrets({"secret": True} if secret else below, value, (*path, name))
    elif isinstance(config, list):
        for number, value in enumerate(config):
            below = {"anyOf": [variant.get("items") or {} for variant in variants]}
            yield from _secrets({"secret": True} if secret else below, value, (*path, number))
    elif secret and isinstance(config, str):
        yield path, config


def _variants(schema: Schema) -> Iterator[Schema]:
    yield schema
    for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _variants(each)


def _property(schema: Schema, name: str) -> Schema:
    found = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
    return found if isinstance(found, dict) else {}


def variable(name: str) -> str | None:
    """A variable of the environment, else of ``.env`` in the project's folder; none when neither has it."""
    if name in os.environ:
        return os.environ[name]
    try:
        return dotenv_values(project_root() / ".env").get(name)
    except (ConfigError, OSError, UnicodeDecodeError):
        return None


def _from_file(source: str, setting: str, where: str) -> str:
    try:
        return Path(source).expanduser().read_text().strip()
    except (OSError, ValueError) as error:
        what = f"{setting} names {source}, which cannot be read ({type(error).__name__})"
        raise ConfigError(where, what, "name a file that holds the secret, and that this user may read") from None


def _from_variable(source: str, setting: str, where: str) -> str:
    value = variable(source)
    if value is None:
        raise ConfigError(
            where, f"{setting} names the variable {source}, which is not set", f"set {source}, or put it in .env"
        )
    return value


def _from_keyring(source: str, setting: str, where: str) -> str:
    try:
        import keyring
    except ImportError:
        cure = "install the package keyring, or name a file or a variable"
        raise ConfigError(where, f"{setting} names a keyring, and there is none here", cure) from None
    service, _, user = source.rpartition("/")
    try:
        value = keyring.get_password(service, user)
    except Exception as error:  # each of its many backends has faults of its own
        what = f"{setting} names the keyring, which does not answer ({type(error).__name__})"
        raise ConfigError(where, what, "unlock it, or name a file or a variable") from None
    if value is None:
        what = f"{setting} names the keyring's entry {source}, which is not there"
        raise ConfigError(where, what, f"make it: keyring set {service} {user}")
    return value


SOURCES: Mapping[str, Callable[[str, str, str], str]] = {
    "file": _from_file,
    "env": _from_variable,
    "keyring": _from_keyring,
}
