"""Where a plan is built: a warehouse of its own, so that the one of the nightly run stays as it is."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from snello.dbt.results import Build
from snello.errors import ConfigError, ContractError, RetryLater
from snello.kit.places import state_folder
from snello.settings import Settings

_ASIDE = ("target", "logs", "dbt_packages", "dbt_internal_packages", "__pycache__")
_SENTENCE = re.compile(r"^\s*(\S.*?)\.? Next: (.+?)\.?\s*$", re.MULTILINE)
_ARGUMENTS = ("build", "--exclude", "tag:measure", "--exclude-resource-type", "unit_test")


@dataclass(frozen=True)
class Workshop:
    """One plan's folder: its warehouse, dbt's artifacts and the plan itself."""

    folder: Path
    project: Path

    @classmethod
    def of(cls, root: Path) -> Workshop:
        """The workshop of the project at ``root``, made for its owner alone: it holds personal data."""
        return cls(state_folder("plan"), root / "transform")

    @property
    def warehouse(self) -> Path:
        """The DuckDB file in which the plan is built."""
        return self.folder / "warehouse.duckdb"

    @property
    def target(self) -> Path:
        """The folder of dbt's artifacts."""
        return self.folder / "target"

    @property
    def file(self) -> Path:
        """Where the plan is kept until it is applied."""
        return self.folder / "plan.json"

    def build(self, hub: Settings) -> str:
        """Build every model anew, beside the warehouse in use; the id of the run.

        Raises ``ContractError`` when dbt or a test does not pass, ``RetryLater`` when the warehouse is being written.
        """
        self.clear()
        self._copy(hub.warehouse)
        log = self.folder / "dbt.log"
        with log.open("w", encoding="utf-8") as lines:
            done = subprocess.run(
                [str(Path(sys.executable).with_name("dbt")), "--no-use-colors", *_ARGUMENTS],
                cwd=self.project,
                env=os.environ | self._variables(hub),
                stdout=lines,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode and not (self.target / "run_results.json").exists():
            if told := sentence(log.read_text(encoding="utf-8", errors="replace")):
                raise ConfigError("plan", *told)
            what = f"dbt left with exit code {done.returncode} before it built anything"
            raise ContractError("plan", what, f"read {log}, mend what it names and plan again")
        build = Build.of(self.target)
        build.passed()
        return build.run_id

    def clear(self) -> None:
        """Leave nothing of an earlier plan."""
        for path in (self.file, self.warehouse, self.warehouse.with_name(self.warehouse.name + ".wal")):
            path.unlink(missing_ok=True)
        # how dbt read the project as well: read in part, it would not see a source whose shapes are found by name
        shutil.rmtree(self.target, ignore_errors=True)

    def fingerprint(self) -> str:
        """A hash of everything in the project that decides what is built."""
        # Consents expire and people come of age: a plan is one of its day.
        today = os.environ.get("SNELLO_TODAY") or datetime.now(UTC).date().isoformat()
        found = hashlib.sha256(today.encode())
        for path in sorted(self.project.rglob("*")):
            inner = path.relative_to(self.project)
            if path.is_file() and not any(part in _ASIDE or part.startswith(".") for part in inner.parts):
                found.update(f"{inner.as_posix()}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
        return found.hexdigest()

    def _copy(self, warehouse: Path) -> None:
        """Start from what is built already: what was normalised once need not be again."""
        if not warehouse.exists():
            return
        if warehouse.with_name(warehouse.name + ".wal").exists():
            self._take_in(warehouse)
        shutil.copyfile(warehouse, self.warehouse)

    @staticmethod
    def _take_in(warehouse: Path) -> None:
        """What a run that was killed left beside the file goes into it; a run that still writes holds its lock."""
        try:
            duckdb.connect(str(warehouse)).close()
        except duckdb.IOException:
            cure = "wait until dbt has ended, then plan again"
            raise RetryLater("plan", f"{warehouse} is being written", cure) from None

    def _variables(self, hub: Settings) -> dict[str, str]:
        return {
            "SNELLO_LAKE": hub.lake,
            "SNELLO_WAREHOUSE": str(self.warehouse),
            "SNELLO_SALT": hub.salt.get_secret_value(),
            "DBT_PROJECT_DIR": str(self.project),
            "DBT_PROFILES_DIR": str(self.project),
            "DBT_TARGET_PATH": str(self.target),
            "DBT_LOG_PATH": str(self.folder / "logs"),
        }


def sentence(log: str) -> tuple[str, str] | None:
    """What is wrong and its cure, where dbt was stopped by a sentence of the project; the last one counts."""
    found = _SENTENCE.findall(log.rpartition("Encountered an error:")[2])
    return found[-1] if found else None
