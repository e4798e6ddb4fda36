"""E-mail addresses: the quick path against the library."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from snello.identifiers import email, normalise_email

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


@given(
    value=st.from_regex(
        r"[a-z0-9]{1,9}([._+-][a-z0-9]{1,9}){0,3}@[a-z]{1,9}(-[a-z0-9]{1,9})?\.(it|com|co\.uk)", fullmatch=True
    )
)
def test_an_address_in_good_order_is_kept(value: str) -> None:
    assert normalise_email(value) == value
    assert normalise_email(f" {value.upper()} ") == value
