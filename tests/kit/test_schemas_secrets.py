from __future__ import annotations

import pytest

from snello.kit.schemas.secrets import sounds_secret


@pytest.mark.parametrize(
    "name",
    [
        "password", "passwd", "pwd", "user_password", "userPassword", "passwordHash", "hashed_password", "password2",
        "token", "accessToken", "refresh_tokens", "tokenValue", "apiKey", "api_key", "API_KEY", "x-api-key", "apikey",
        "client_secret", "clientSecret", "secret_question", "hash", "md5hash", "private_key",
    ],
)  # fmt: skip
def test_a_name_that_speaks_of_a_secret_is_found_however_it_is_written(name: str) -> None:
    assert sounds_secret(name)


@pytest.mark.parametrize(
    "name", ["key", "hashtag", "email", "secretary", "basket", "api_url", "keyboard", "passport", "compass", "Tokyo"]
)
def test_a_name_that_only_looks_alike_is_left_alone(name: str) -> None:
    assert not sounds_secret(name)
