"""E-mail addresses: the quick path against the library."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from snello.identifiers import email, normalise_email

# The pattern of plain addresses as one would write it down; the one that is used reads no sign twice.
PLAIN = re.compile(
    r"[a-z0-9_](?:[a-z0-9_+-]|\.(?![.@])){0,62}"
    r"@(?:[a-z0-9](?:[a-z0-9]|-(?!-)){0,40}(?<!-)\.){1,3}[a-z]{2,12}"
)

addresses = st.builds(
    "".join,
    st.lists(
        st.sampled_from(
            [*"abzAZ09._-+@'", ".it", ".com", "gmail", "xn--", "@x.it", " ", "è", "..", "-.", ".-", "\u212a"]
        ),
        min_size=3,
        max_size=14,
    ),
)


@given(value=addresses | st.emails())
@example(value="a@b-.it")
@example(value="a.@b.it")
@example(value="a@b--c.it")
@example(value="a@xn--caff-8oa.it")
@example(value="\u212aate@example.it")
@example(value="a@1.23")
def test_the_quick_path_answers_as_the_library(value: str) -> None:
    assert normalise_email(value) == email._full(value)


# Parts as long as they may be, and longer, with hyphens and dots in every place.
locals_ = st.text("a0_+-.", max_size=4) | st.builds(
    lambda part, by: part * by, st.text("a.", max_size=3), st.integers(20, 64)
)
labels = st.text("a0-", max_size=4) | st.builds(
    lambda part, by: part * by, st.text("a-", max_size=3), st.integers(13, 43)
)
long_addresses = st.builds(
    lambda local, at, parts, end: f"{local}{at}{'.'.join([*parts, end])}",
    locals_,
    st.sampled_from(["@", "@@", ""]),
    st.lists(labels, max_size=5),
    st.sampled_from(["it", "museum", "abcdefghijkl", "abcdefghijklm", "i", "i1", ""]),
)


@given(value=long_addresses | addresses)
@example(value="a" * 63 + "@b.it")
@example(value="a" * 64 + "@b.it")
@example(value="a@" + "b" * 41 + ".it")
@example(value="a@" + "b" * 42 + ".it")
@example(value="a@b.c.d.it")
@example(value="a@b.c.d.e.it")
@example(value="a@b.it\n")
def test_the_quick_pattern_is_the_one_that_is_written_down(value: str) -> None:
    assert bool(email._PLAIN.fullmatch(value)) == bool(PLAIN.fullmatch(value))


@given(values=st.lists(addresses | long_addresses | st.emails(), max_size=5))
def test_a_plain_address_of_a_column_is_read_as_it_is_alone(values: list[str]) -> None:
    for value, found in zip(values, email.plain_emails(values), strict=True):
        assert found is None or found == normalise_email(value) == email._full(value)


@given(
    value=st.from_regex(
        r"[a-z0-9]{1,9}([._+-][a-z0-9]{1,9}){0,3}@[a-z]{1,9}(-[a-z0-9]{1,9})?\.(it|com|co\.uk)", fullmatch=True
    )
)
def test_an_address_in_good_order_is_kept(value: str) -> None:
    assert normalise_email(value) == value
    assert normalise_email(f" {value.upper()} ") == value
