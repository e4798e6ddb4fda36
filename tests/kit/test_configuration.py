from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from snello.errors import ConfigError
from snello.kit.configuration import check_names, resolved, schema_of, secrets_in, settings_of, variable


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str = Field(description="A property called title.")
    mode: Literal["a", "b"] = Field("a", description="One of two.")


class Settings(BaseModel):
    url: str = Field(description="Address.")
    password: SecretStr = Field(description="Secret.")
    rows: int | None = Field(None, description="Number.")
    parts: list[Part] = Field([], description="Parts.")
    by_name: dict[str, Part] = Field({}, description="Parts by name.")


GOOD: dict[str, Any] = {"url": "u", "password": "p"}


def test_the_schema_is_what_the_sdk_wants_without_references() -> None:
    schema = schema_of(Settings)
    assert "$defs" not in schema
    assert schema["required"] == ["url", "password"]
    assert schema["properties"]["password"] == {
        "type": "string",
        "secret": True,
        "writeOnly": True,
        "description": "Secret.",
    }
    assert schema["properties"]["rows"] == {"type": ["integer", "null"], "description": "Number."}
    assert schema["properties"]["parts"]["items"]["properties"]["title"]["type"] == "string"


def test_good_settings_become_typed_values_and_the_sdks_own_are_ignored() -> None:
    settings = settings_of(Settings, GOOD | {"stream_maps": {}, "parts": [{"title": "t"}]}, "tap-x")
    assert settings.password.get_secret_value() == "p"
    assert settings.parts[0].mode == "a"


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"password": "p"}, "tap-x: setting url is missing. Next: set url."),
        (GOOD | {"parts": [{"titel": "t"}]}, "tap-x: setting parts[0].title is missing. Next: set parts[0].title."),
        (
            GOOD | {"parts": [{"title": "t", "mod": 1}]},
            "tap-x: unknown setting parts[0].mod. Next: did you mean 'mode'?",
        ),
        (
            GOOD | {"by_name": {"x": {"title": "t", "modes": 1}}},
            "unknown setting by_name.x.modes. Next: did you mean 'mode'?",
        ),
        (
            GOOD | {"parts": [{"title": "t", "mode": "c"}]},
            "setting parts[0].mode: Input should be 'a' or 'b'. Next: give",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_cure(config: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as fault:
        settings_of(Settings, config, "tap-x")
    assert told in str(fault.value)


def test_a_wrong_value_is_never_repeated() -> None:
    with pytest.raises(ConfigError) as fault:
        settings_of(Settings, GOOD | {"rows": "hunter22"}, "tap-x")
    assert "hunter22" not in str(fault.value)
    assert "setting rows:" in str(fault.value)


def test_unknown_settings_are_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"tap-x: unknown setting pasword\. Next: did you mean 'password'\?"):
        check_names(schema_of(Settings), {"pasword": "x"}, "tap-x")


def test_secrets_are_found_at_any_depth() -> None:
    schema = {
        "properties": {
            "key": {"secret": True},
            "options": {"secret": True, "type": "object"},
            "list": {"items": {"properties": {"token": {"secret": True}}}},
            "plain": {"type": "string"},
        }
    }
    config = {"key": "k", "options": {"a": {"b": ["one", 2]}}, "list": [{"token": "t"}], "plain": "p"}
    assert sorted(secrets_in(schema, config)) == ["k", "one", "t"]


class Door(BaseModel):
    kind: Literal["door"] = Field(description="Kind.")
    token: SecretStr = Field(description="Secret.")


class Gate(BaseModel):
    kind: Literal["gate"] = Field(description="Kind.")
    keys: list[SecretStr] = Field(description="Secrets.")


class House(BaseModel):
    name: str = Field("", description="No secret.")
    password: SecretStr | None = Field(None, description="Secret.")
    ways: list[Door | Gate] = Field([], description="Parts of several kinds.")
    by_name: dict[str, SecretStr] = Field({}, description="Secrets by name.")


def fetched(config: dict[str, Any]) -> dict[str, Any]:
    return resolved(schema_of(House), config, "tap-x")


def test_a_secret_may_be_named_instead_of_given_at_any_depth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("  from-file\n")
    monkeypatch.setenv("THE_SECRET", "from-variable")
    file = f"file:{tmp_path / 'token'}"
    given = {
        "name": "env:THE_SECRET",
        "password": file,
        "ways": [{"kind": "door", "token": "env:THE_SECRET"}, {"kind": "gate", "keys": ["plain", file]}],
        "by_name": {"a": "env:THE_SECRET", "b": "b:c"},
    }
    before = str(given)
    found = fetched(given)
    assert found == {
        "name": "env:THE_SECRET",
        "password": "from-file",
        "ways": [{"kind": "door", "token": "from-variable"}, {"kind": "gate", "keys": ["plain", "from-file"]}],
        "by_name": {"a": "from-variable", "b": "b:c"},
    }
    assert str(given) == before
    assert sorted(secrets_in(schema_of(House), found)) == sorted(
        ["from-file", "from-variable", "plain", "from-file", "from-variable", "b:c"]
    )


def test_a_variable_that_is_not_set_is_read_from_the_projects_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path))
    (tmp_path / ".env").write_text("THE_SECRET='of the file'\nOTHER_SECRET=of-the-file\n")
    monkeypatch.setenv("OTHER_SECRET", "of-the-shell")
    assert fetched({"password": "env:THE_SECRET"}) == {"password": "of the file"}
    assert fetched({"password": "env:OTHER_SECRET"}) == {"password": "of-the-shell"}
    assert variable("NOBODYS_SECRET") is None


def test_outside_of_a_project_only_the_environment_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MELTANO_PROJECT_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("THE_SECRET=x\n")
    assert variable("THE_SECRET") is None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            "file:/no/such/file",
            "setting password names /no/such/file, which cannot be read (FileNotFoundError). Next: name",
        ),
        ("file:/", "tap-x: setting password names /, which cannot be read (IsADirectoryError)"),
        (
            "env:NO_SUCH_NAME",
            "setting password names the variable NO_SUCH_NAME, which is not set. Next: set NO_SUCH_NAME",
        ),
    ],
)
def test_a_source_that_is_not_there_is_told_with_its_setting(given: str, told: str) -> None:
    with pytest.raises(ConfigError) as fault:
        fetched({"password": given})
    assert told in str(fault.value)


def test_a_deep_setting_is_told_by_its_whole_name() -> None:
    with pytest.raises(ConfigError, match=r"setting ways\[0\]\.token names the variable NO_SUCH_NAME"):
        fetched({"ways": [{"kind": "door", "token": "env:NO_SUCH_NAME"}]})


def test_a_secret_may_lie_in_the_systems_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = pytest.importorskip("keyring")

    class Ring(keyring.backend.KeyringBackend):  # type: ignore[misc,name-defined]
        priority = 1

        def get_password(self, service: str, username: str) -> str | None:
            if service == "locked":
                raise keyring.errors.KeyringLocked
            return {("acme/shop", "ada"): "from-keyring"}.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None: ...

    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    try:
        assert fetched({"password": "keyring:acme/shop/ada"}) == {"password": "from-keyring"}
        with pytest.raises(ConfigError, match=r"entry acme/bob, which is not there.*keyring set acme bob"):
            fetched({"password": "keyring:acme/bob"})
        with pytest.raises(ConfigError, match=r"the keyring, which does not answer \(KeyringLocked\)"):
            fetched({"password": "keyring:locked/bob"})
    finally:
        keyring.set_keyring(before)


def test_a_keyring_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigError, match=r"a keyring, and there is none here\. Next: install the package keyring"):
        fetched({"password": "keyring:acme/ada"})


def test_typed_settings_print_no_secret() -> None:
    settings = settings_of(House, {"password": "hunter22", "by_name": {"a": "hunter22"}}, "tap-x")
    assert "hunter22" not in repr(settings) + str(settings) + settings.model_dump_json()
