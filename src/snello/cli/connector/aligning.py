"""A plugin's settings in ``meltano.yml`` as its connector has them now; every other line stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from snello.cli.connector import plugging
from snello.cli.connector.found import find
from snello.cli.screen import Block, Line
from snello.errors import ConfigError, ContractError, choices

FILE = "meltano.yml"
Setting = Mapping[str, Any]


@dataclass(frozen=True)
class Aligned:
    """What differed.

    - ``secret``: settings that are secret and were not marked as such
    """

    name: str
    added: list[str]
    removed: list[str]
    secret: list[str]
    written: bool

    @property
    def differs(self) -> bool:
        """Whether anything did."""
        return bool(self.added or self.removed or self.secret)


def aligned(name: str, root: Path, *, check: bool) -> Aligned:
    """Bring the settings of a plugin up to date; with ``check`` only tell.

    Raises ``ConfigError`` when there is no such plugin, or it has its settings from another one, and
    ``ContractError`` when that cannot be done line by line.
    """
    file = root / FILE
    text = file.read_text()
    whole = yaml.safe_load(text)
    kind, at = _place(whole, name)
    plugin = whole["plugins"][kind][at]
    if "inherit_from" in plugin:
        parent = plugin["inherit_from"]
        raise ConfigError(name, f"it has its settings from {parent}", f"snello tap settings {parent}")
    wanted = plugging.entry(plugging.about(find(name)))["settings"]
    had: list[Setting] = plugin.get("settings") or []
    new = _merged(had, wanted)
    known, names = {each["name"]: each for each in had}, [each["name"] for each in wanted]
    told = Aligned(
        name,
        [each for each in names if each not in known],
        [each for each in known if each not in names],
        [each["name"] for each in new if each["name"] in known and each != known[each["name"]]],
        written=not check,
    )
    if told.differs and not check:
        after = deepcopy(whole)
        after["plugins"][kind][at]["settings"] = new
        plugging.rewrite(file, _edited(text, name, _settings(text, kind, at), new, after))
    return told


def _place(whole: Mapping[str, Any], name: str) -> tuple[str, int]:
    """The list in which a plugin is, and where."""
    lists = {kind: [each["name"] for each in (whole.get("plugins") or {}).get(kind) or []] for kind in
             plugging.LISTS.values()}  # fmt: skip
    for kind, names in lists.items():
        if name in names:
            return kind, names.index(name)
    every = [each for names in lists.values() for each in names]
    raise ConfigError(name, f"{FILE} has no plugin of that name", choices(name, every))


def _merged(had: Sequence[Setting], wanted: Sequence[Setting]) -> list[dict[str, Any]]:
    """The settings that stay, as they were written, and each new one behind the one that it follows."""
    names = {each["name"]: each for each in wanted}
    found = [{**each, **({"sensitive": True} if names[each["name"]].get("sensitive") else {})} for each in had
             if each["name"] in names]  # fmt: skip
    before = -1
    for each in wanted:
        at = next((index for index, one in enumerate(found) if one["name"] == each["name"]), None)
        if at is None:
            before += 1
            found.insert(before, dict(each))
        else:
            before = at
    return found


def _settings(text: str, kind: str, at: int) -> yaml.Node | None:
    plugins = plugging.plugins_node(text, kind)
    return plugging.value_node(plugins.value[at], "settings") if plugins else None


def _edited(text: str, name: str, node: yaml.Node | None, new: Sequence[Setting], after: object) -> str:
    """The text with the new settings. Raises ``ContractError`` when more than those would change."""
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        edited = _lines(text, node, new)
        if yaml.safe_load(edited) == after:
            return edited
    what = f"the settings of {name} are not written one below the other, so they cannot be changed line by line"
    raise ContractError(FILE, what, "write them as a list of lines that begin with a hyphen, at least one")


def _lines(text: str, node: yaml.SequenceNode, new: Sequence[Setting]) -> str:
    lines = text.splitlines(keepends=True)
    had = {_name(each): each for each in node.value}
    behind: dict[int, str] = {}
    for gone in had.keys() - {each["name"] for each in new}:
        begin, end = had[gone].start_mark.line, _last(had[gone]) + 1
        lines[begin:end] = [""] * (end - begin)
    line = node.start_mark.line
    for each in new:
        known = had.get(each["name"])
        if known is None:
            behind[line] = behind.get(line, "") + plugging.snippet(each, node.start_mark.column)
            continue
        line = _last(known) + 1
        if each.get("sensitive") and plugging.value_node(known, "sensitive") is None:
            _mark(lines, known)
    return "".join(behind.get(index, "") + line for index, line in enumerate([*lines, ""]))


def _mark(lines: list[str], setting: yaml.Node) -> None:
    """Say of a setting that it is secret, where its entry ends."""
    last = _last(setting)
    if getattr(setting, "flow_style", False):
        brace = setting.end_mark.column - 1
        lines[last] = f"{lines[last][:brace]}, sensitive: true{lines[last][brace:]}"
    else:
        lines[last] += f"{' ' * setting.start_mark.column}sensitive: true\n"


def _name(setting: yaml.Node) -> str:
    name = plugging.value_node(setting, "name")
    return str(name.value) if name else ""


def _last(node: yaml.Node) -> int:
    """The last line of a node; a block's own mark is behind the comments that follow it."""
    if isinstance(node, yaml.ScalarNode) or getattr(node, "flow_style", False) or not node.value:
        return node.end_mark.line - (node.end_mark.column == 0)
    last = node.value[-1]
    return _last(last[1] if isinstance(last, tuple) else last)


def page(found: Aligned) -> Iterator[Block]:
    """What differed, and what became of it."""
    if not found.differs:
        yield Line(f"{FILE}: the settings of {found.name} are those of the connector", "ok")
        return
    done = ("added", "removed", "marked as sensitive") if found.written else ("missing", "gone", "not sensitive")
    for what, names in zip(done, (found.added, found.removed, found.secret), strict=True):
        if names:
            yield Line(f"{FILE}: {found.name}: {what}: {', '.join(names)}", "ok" if found.written else "bad")
    if not found.written:
        yield Line(f"Next: snello tap settings {found.name}")
