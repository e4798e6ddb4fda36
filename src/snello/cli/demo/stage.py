"""Where a demo plays: its home, the Meltano project that reads it, and the variables that point the plugins there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from snello import sandbox
from snello.errors import ConfigError, RetryLater
from snello.sandbox import Services
from snello.sandbox.services import PEOPLE, SEED
from snello.settings import Settings, load, project_root

ENVIRONMENT = "demo"
_OWN = "demo"  # the folder that the environment `demo` of meltano.yml names


@dataclass(frozen=True)
class Stage:
    """A demo company in ``home``, and the project folder in which Meltano runs for it."""

    home: Path
    project: Path

    @classmethod
    def at(cls, home: Path) -> Stage:
        """The stage for ``home``, taken from the project's root when it is relative."""
        root = project_root()
        own = root / _OWN
        home = (root / home).resolve()
        return cls(home, root if home == own.resolve() else home / "project")

    def hub(self) -> Settings:
        """The hub's settings as Meltano's environment of the demo gives them."""
        with _variables({"MELTANO_ENVIRONMENT": ENVIRONMENT}):
            return load(self.project)

    def up(self, people: int | None, seed: int | None, port: int) -> Services:
        """Have the company stand and its services run.

        Raises ``ConfigError`` when another company than the one asked for stands there.
        """
        self._must_fit(people, seed)
        self._link()
        if not Path(self.hub().lake).exists():
            self._forget()
        return sandbox.up(self.home, PEOPLE if people is None else people, SEED if seed is None else seed, port)

    def shell(self, services: Services) -> dict[str, str]:
        """The variables under which Meltano runs for this demo."""
        return self._shell() | services.environment

    def _shell(self) -> dict[str, str]:
        beside = Path(sys.executable).parent  # where Meltano and the connectors are, whether activated or not
        return os.environ | {
            "MELTANO_ENVIRONMENT": ENVIRONMENT,
            "MELTANO_PROJECT_ROOT": str(self.project),
            "NO_COLOR": "1",
            "PATH": f"{beside}{os.pathsep}{os.environ.get('PATH', '')}",
        }

    def _must_fit(self, people: int | None, seed: int | None) -> None:
        if not (self.home / "company" / "world.json").exists():
            return
        world = sandbox.read_world(self.home)
        if people not in (None, world.people) or seed not in (None, world.seed):
            what = f"{self.home} holds a company of {world.people:,} people with seed {world.seed}"
            raise ConfigError("demo", what, f"ask for that one, remove {self.home}, or choose another --home")

    def _link(self) -> None:
        """Another home gets a project folder of its own: the same files, with itself in the place of ``demo``."""
        root = project_root()
        if self.project == root:
            return
        self.project.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / "meltano.yml", self.project / "meltano.yml")  # Meltano refuses a link out of the folder
        for name, there in (("transform", root / "transform"), (_OWN, self.home)):
            if not (self.project / name).exists():
                (self.project / name).symlink_to(there, target_is_directory=True)

    def _forget(self) -> None:
        """Drop Meltano's bookmarks of an earlier demo: what they point into is gone with its lake."""
        if not (self.project / ".meltano" / "meltano.db").exists():
            return
        listed = self._state("list", "--pattern", f"{ENVIRONMENT}:*")
        for name in filter(lambda line: line.startswith(f"{ENVIRONMENT}:"), listed.splitlines()):
            self._state("clear", "--force", name)

    def _state(self, *arguments: str) -> str:
        command = ["meltano", "--environment", ENVIRONMENT, "state", *arguments]
        done = subprocess.run(command, cwd=self.project, env=self._shell(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RetryLater("demo", "the bookmarks of an earlier demo cannot be dropped", "run the command again")
        return done.stdout


@contextmanager
def _variables(given: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
