from __future__ import annotations

from pathlib import Path

import pytest

from snello.errors import ConfigError
from snello.kit.channel.settings import from_hub


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("SNELLO_SALT", "SNELLO_LAKE", "MELTANO_PROJECT_ROOT", "MELTANO_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)


def test_a_plugins_own_value_wins() -> None:
    assert from_hub("salt", "mine") == "mine"


def test_outside_of_a_project_the_variable_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_SALT", "from a variable")
    assert from_hub("salt", None) == "from a variable"


def test_inside_a_project_its_environment_counts_and_paths_start_at_its_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "default_environment: demo\nenvironments: [{name: demo, env: {SNELLO_SALT: s, SNELLO_LAKE: demo/lake}}]\n"
    (tmp_path / "meltano.yml").write_text(text)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert from_hub("salt", None) == "s"
    assert from_hub("lake", None) == str(tmp_path / "demo/lake")


def test_neither_is_told_with_the_variable_to_set() -> None:
    with pytest.raises(ConfigError, match=r"setting salt: it is not set\. Next: set SNELLO_SALT, or run"):
        from_hub("salt", None)
