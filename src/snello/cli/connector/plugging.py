"""A new connector in ``meltano.yml``: its entry, put into the text without touching anything else."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from snello.cli.connector.found import Connector
from snello.errors import ContractError

LISTS = {"tap": "extractors", "target": "loaders"}
# settings that the SDK gives every tap, which Meltano knows by the capability
OF_THE_SDK = ("stream_map", "faker_config", "flattening_")
KINDS = {"integer": "integer", "number": "decimal", "boolean": "boolean", "array": "array", "object": "object"}
CAPABILITIES = ("catalog", "discover", "state", "about", "stream-maps", "batch")
OURS = {"batch_config": "Hand rows over as Parquet files instead of lines."}
ACRONYMS = {"url": "URL", "api": "API", "id": "id"}


def about(connector: Connector) -> dict[str, Any]:
    """What a connector tells of itself. Raises ``ContractError`` when it does not start."""
    command = [*connector.command, "--about", "--format=json"]
    told = subprocess.run(command, capture_output=True, text=True, check=False, env=connector.environment)
    if told.returncode:
        last = told.stderr.strip().rpartition("\n")[2]
        raise ContractError(connector.name, "it does not start", f"mend this: {last}")
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def entry(told: Mapping[str, Any]) -> dict[str, Any]:
    """The plugin's entry: where its command is, what it can do, every setting of its own."""
    name, shapes = told["name"], told["settings"]["properties"]
    return {
        "name": name,
        "namespace": name.replace("-", "_"),
        "executable": name,
        "capabilities": [each for each in CAPABILITIES if each in told.get("capabilities", CAPABILITIES)],
        "settings": [_setting(each, shape) for each, shape in shapes.items() if not each.startswith(OF_THE_SDK)],
    }


def _setting(name: str, shape: Mapping[str, Any]) -> dict[str, Any]:
    description = OURS.get(name) or " ".join(str(shape.get("description") or "").split())
    words = " ".join(ACRONYMS.get(word, word) for word in name.split("_"))
    hub = next((each for each in ("LAKE", "LEDGER", "SALT") if description.endswith(f"SNELLO_{each}.")), None)
    return {
        "name": name,
        **_kind(shape),
        **({"sensitive": True} if shape.get("secret") else {}),
        **({"value": f"$SNELLO_{hub}"} if hub else {}),
        "label": words[0].upper() + words[1:],
        "description": description,
    }


def _kind(shape: Mapping[str, Any]) -> dict[str, Any]:
    if "enum" in shape:
        return {"kind": "options", "options": [{"label": str(each), "value": each} for each in shape["enum"]]}
    types = shape.get("type", "string")
    names = [each for each in ([types] if isinstance(types, str) else types) if each != "null"]
    if shape.get("format") == "date-time":
        return {"kind": "date_iso8601"}
    return {"kind": KINDS.get(names[0] if names else "string", "string")}


def snippet(plugin: Mapping[str, Any], indent: int = 2) -> str:
    """The entry as lines of YAML."""
    text = yaml.safe_dump([dict(plugin)], default_flow_style=None, sort_keys=False, allow_unicode=True, width=10_000)
    return "".join(f"{' ' * indent}{line}\n" for line in text.splitlines())


def plug(file: Path, role: str, plugin: Mapping[str, Any]) -> bool:
    """Put the entry behind the last plugin of its kind; False when the file has no list of them to put it into.

    Every other byte of the file stays. Raises ``ContractError`` when a plugin has that name already.
    """
    text = file.read_text()
    before = yaml.safe_load(text) or {}
    known = (before.get("plugins") or {}).get(LISTS[role])
    if not isinstance(known, list) or not known:
        return False
    if any(each["name"] == plugin["name"] for each in known):
        raise ContractError("meltano.yml", f"it has a plugin {plugin['name']} already", "take another name")
    node = plugins_node(text, LISTS[role])
    if node is None or node.flow_style:
        return False
    lines = text.splitlines(keepends=True)
    end = node.end_mark.line
    while not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#"):
        end -= 1
    if not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    new = "".join([*lines[:end], snippet(plugin, node.start_mark.column), *lines[end:]])
    known.append(dict(plugin))
    if yaml.safe_load(new) != before:
        return False
    rewrite(file, new)
    return True


def plugins_node(text: str, kind: str) -> yaml.SequenceNode | None:
    """The list of a kind's plugins, with its places in the text; None when there is no such list."""
    node: yaml.Node | None = yaml.compose(text, yaml.SafeLoader)
    for name in ("plugins", kind):
        node = value_node(node, name)
    return node if isinstance(node, yaml.SequenceNode) else None


def value_node(node: yaml.Node | None, name: str) -> yaml.Node | None:
    """What a mapping has under a name."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for key, value in pairs if key.value == name), None)


def rewrite(file: Path, text: str) -> None:
    """Replace a file at once, so that nobody reads half of it."""
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(text)
    beside.chmod(file.stat().st_mode)
    os.replace(beside, file)
