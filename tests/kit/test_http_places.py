from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from snello.errors import ConfigError
from snello.kit.places import keyed_hash, state_folder, write_private


def test_state_lies_where_it_is_wanted_else_in_the_project_else_with_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SNELLO_STATE", "MELTANO_PROJECT_ROOT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert state_folder() == tmp_path / "home" / ".local" / "state" / "snello"
    (tmp_path / "meltano.yml").touch()
    assert state_folder() == tmp_path / "state"
    (tmp_path / "meltano.yml").write_text("env: {SNELLO_STATE: kept}")
    assert state_folder() == tmp_path / "kept"
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "a" / "b"))
    assert state_folder("c", "d") == tmp_path / "a" / "b" / "c" / "d"
    for folder in (tmp_path / "state", tmp_path / "a" / "b", tmp_path / "a" / "b" / "c" / "d"):
        assert folder.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "file" / "state"))
    with pytest.raises(ConfigError, match=r"SNELLO_STATE: the folder cannot be made .* Next: set SNELLO_STATE"):
        state_folder()


def test_a_hash_is_the_same_in_every_process_and_another_with_another_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path))
    program = "from snello.kit.places import keyed_hash; print(keyed_hash('host', 'hunter22'))"
    runs = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    found = {run.communicate(timeout=60)[0].strip() for run in runs}
    assert found == {keyed_hash("host", "hunter22")}
    assert keyed_hash("ab", "c") != keyed_hash("a", "bc")
    assert (tmp_path / "hash.key").stat().st_mode & 0o077 == 0
    (tmp_path / "hash.key").unlink()
    assert keyed_hash("host", "hunter22") not in found


def test_a_private_file_is_replaced_at_once_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        write_private(tmp_path / "token.json", content)
    assert (tmp_path / "token.json").read_bytes() == b"two"
    assert (tmp_path / "token.json").stat().st_mode & 0o077 == 0
    assert len(list(tmp_path.iterdir())) == 1
