"""Tell why a block failed, in the words of what failed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snello.cli.demo.blocks import Block
from snello.errors import SnelloError

_SENTENCE = re.compile(r"^(?P<where>.+?): (?P<what>.+)\. Next: (?P<cure>.+?)\.?$")
_COUNTED = re.compile(r"PASS=\d+.*ERROR=\d+")  # the last words of dbt
_FAILED = re.compile(r"(?:Failure|Error) in (\w+ \w+)")  # what dbt names before them


def fault(block: Block, events: list[dict[str, Any]], log: Path) -> SnelloError:
    """What dbt says that failed, else the last *where: what. Next: cure.* of the block, in the kind of its code."""
    kinds = {kind.exit_code: kind for kind in SnelloError.__subclasses__()}
    code = next((code for event in reversed(events) for code in _codes(event)), 1)
    kind = kinds.get(code, SnelloError)
    said = [str(event.get("event", "")) for event in events]
    counted = [found[0] for text in said if (found := _COUNTED.search(text))]
    if counted:  # dbt's sentences before them are warnings
        failed = [found[1] for text in said if (found := _FAILED.search(text))]
        return kind(block.name, f"{', '.join(failed[:3]) or 'it'} failed ({counted[-1]})", f"read {log}")
    told = next((found for text in reversed(said) if (found := _SENTENCE.match(text))), None)
    if told:
        return kind(told["where"], told["what"], f"{told['cure']}; the whole log is {log}")
    return kind(block.name, "it failed", f"read {log}")


def _codes(event: dict[str, Any]) -> Iterator[int]:
    yield from (event.get("exit_codes") or {}).values()
    said = re.search(r"exit code:? (\d+)", str(event.get("err") or ""))
    if said:
        yield int(said[1])
