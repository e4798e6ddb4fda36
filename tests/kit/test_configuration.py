from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from snello.errors import ConfigError
from snello.kit.configuration import check_names, schema_of, secrets_in, settings_of


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
