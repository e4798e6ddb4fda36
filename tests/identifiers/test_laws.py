"""What holds for every identifier function, whatever the text."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snello import identifiers

ONE_ARGUMENT = [
    name for name in identifiers.__all__ if len(inspect.signature(getattr(identifiers, name)).parameters) == 1
]
MORE_ARGUMENTS = [name for name in identifiers.__all__ if name not in ONE_ARGUMENT]
NORMALISING = [
    name
    for name in identifiers.__all__
    if name.startswith(("normalise_", "fold_"))
    or name in ("null_like", "email_mailbox", "name_key", "street_key", "tax_code_canonical")
]
NOTHING = [
    *("", " ", "\t", "-", "--", "\u2014", ".", "?", "/", "***", "\u200b"),
    *(
        "n/a",
        "N/A",
        "#N/A",
        "n.d.",
        "N.D.",
        "null",
        "NULL",
        "(null)",
        "None",
        "nan",
        "NaN",
        "nil",
        "undefined",
        "unknown",
    ),
    *("sconosciuto", "non disponibile", "xxx", "#REF!", "\\N"),
]

# Text as it arrives: any at all, and bits of what the functions look for.
BITS = [
    *("@", ".", "-", "'", "\u2019", "/", "+", "|", " ", "39", "333", "1234567", "02", "0039", "12/A", "n.", "via"),
    *("mario", "ROSSI", "de", "Luca", "d'", "gmail", "com", "it", "RSSMRA85T10A562S", "È", "ß", "İ", "ŉ", "\ufb01"),
]
texts = st.text(max_size=40) | st.lists(st.sampled_from(BITS) | st.text(max_size=2), max_size=8).map("".join)


@pytest.mark.parametrize("name", ONE_ARGUMENT)
@given(text=texts)
def test_a_function_answers_whatever_the_text(name: str, text: str) -> None:
    answer = getattr(identifiers, name)(text)
    assert answer is None or isinstance(answer, str | bool | tuple)


@pytest.mark.parametrize("name", MORE_ARGUMENTS)
@given(text=texts, others=st.lists(st.none() | texts | st.dates().map(str), min_size=4, max_size=4))
def test_a_function_of_several_answers_whatever_the_texts(name: str, text: str, others: list[str | None]) -> None:
    function = getattr(identifiers, name)
    answer = function(text, *others[: len(inspect.signature(function).parameters) - 1])
    assert answer is None or isinstance(answer, str | bool)


@pytest.mark.parametrize("name", NORMALISING)
@given(text=texts)
def test_a_normal_form_is_its_own_normal_form(name: str, text: str) -> None:
    function = getattr(identifiers, name)
    once = function(text)
    assert once is None or function(once) == once


@pytest.mark.parametrize("name", NORMALISING)
@given(text=texts)
def test_a_normal_form_is_never_empty_nor_padded(name: str, text: str) -> None:
    once = getattr(identifiers, name)(text)
    assert once is None or (once and once == once.strip())


@pytest.mark.parametrize("text", NOTHING)
@pytest.mark.parametrize("name", [name for name in identifiers.__all__ if name != "split_name"])
def test_a_way_of_writing_nothing_is_nothing(name: str, text: str) -> None:
    if name == "hash_key":
        assert identifiers.hash_key(None, "salt") is None
        return
    function = getattr(identifiers, name)
    answer = function(*[text] * len(inspect.signature(function).parameters))
    assert answer is None


@given(text=texts, other=texts)
def test_agreement_does_not_depend_on_the_side(text: str, other: str) -> None:
    assert identifiers.names_agree(text, other) == identifiers.names_agree(other, text)
    assert identifiers.names_share(text, other) == identifiers.names_share(other, text)
    assert identifiers.birth_dates_agree(text, other) == identifiers.birth_dates_agree(other, text)


@given(text=texts)
def test_a_name_agrees_with_itself_when_it_says_who(text: str) -> None:
    assert identifiers.names_agree(text, text) is not False


@given(value=texts, salt=texts)
def test_hashes_differ_by_salt_and_never_hold_the_value(value: str, salt: str) -> None:
    hashed = identifiers.hash_key(value, salt)
    assert hashed is None or (len(hashed) == 64 and hashed != identifiers.hash_key(value, salt + "x"))
