"""The vendors' own code, run beside ours on values that its documentation and its code read alike."""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Callable
from importlib.metadata import distribution
from typing import Any

import pytest
from facebook_business.adobjects.helpers.customaudiencemixin import CustomAudienceMixin
from facebook_business.adobjects.serverside.normalize import Normalize
from hypothesis import given
from hypothesis import strategies as st

from snello.identifiers.name import normalise_name
from snello.identifiers.platforms import GOOGLE, META, Platform

_NAME = "google.ads.datamanager_util.encrypt"
WORDS = st.text("abcdefghilmnoprstuvzABCDEFGHILMNOPRSTUVZ", min_size=3, max_size=9).filter(
    lambda word: (normalise_name(word) or "").lower() == word.lower()  # no title, and no word for nobody
)
LOCALS = st.text("abcdefgABCDEFG0123456789", min_size=1, max_size=6)
EMAILS = st.builds(
    "{}{}{}{}@{}".format,
    LOCALS,
    st.sampled_from(["", ".", "+"]),
    LOCALS,
    st.sampled_from(["", "+shop", ".Shop"]),
    st.sampled_from(["gmail.com", "GoogleMail.com", "Gmail.COM", "example.com", "notgmail.com", "azienda.it"]),
).map(lambda address: f" {address} ")
PHONES = st.one_of(
    st.integers(3200000000, 3499999999).map("+39{}".format),
    st.integers(2012000000, 2012999999).map("+1 {}".format),
    st.integers(10000000, 19999999).map("+39 06{}".format),
)
NAMES = st.one_of(WORDS, st.builds("{} {}".format, WORDS, WORDS), st.sampled_from(["Valéry", "Niccolò", "Müller"]))
TOWNS = st.sampled_from(["Roma", "Forlì", "Reggio nell Emilia", "San Donà (VE)", "Cinisello B.", "Bolzano-Bozen"])
COUNTRIES = st.sampled_from(["it", "IT", " Us ", "FR", "gb"])


@pytest.fixture(scope="module")
def google() -> Any:
    """Google's formatter alone: its encryption, which is not asked for, would load a key service."""
    place = distribution("google-ads-datamanager-util").locate_file("google/ads/datamanager_util/format.py")
    spec = importlib.util.spec_from_file_location("googles_format", str(place))
    assert spec is not None
    assert spec.loader is not None
    stand_in = types.ModuleType(_NAME)
    stand_in.__dict__["Encrypter"] = object
    parents = {name: types.ModuleType(name) for name in ("google.ads", "google.ads.datamanager_util")}
    with pytest.MonkeyPatch.context() as patch:
        for name, module in {**parents, _NAME: stand_in}.items():
            patch.setitem(sys.modules, name, module)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


def sent(platform: Platform, column: str, value: str, field: str = "") -> str | None:
    return platform.prepare([{column: value}]).rows[0].get(field or platform.fields[column])


@given(email=EMAILS, phone=PHONES, name=WORDS, country=COUNTRIES, postcode=st.integers(10000, 99999).map(str))
def test_google_formats_as_its_own_formatter_does(
    google: Any, email: str, phone: str, name: str, country: str, postcode: str
) -> None:
    formatter, hexadecimal = google.Formatter(), google.Encoding.HEX
    assert sent(GOOGLE, "email", email) == formatter.process_email_address(email, hexadecimal)
    assert sent(GOOGLE, "phone", phone) == formatter.process_phone_number(phone, hexadecimal)
    assert sent(GOOGLE, "first_name", name) == formatter.process_given_name(name, hexadecimal)
    assert sent(GOOGLE, "last_name", name) == formatter.process_family_name(name, hexadecimal)
    assert sent(GOOGLE, "country", country) == formatter.process_region_code(country)
    assert sent(GOOGLE, "postcode", postcode) == formatter.process_postal_code(postcode)


@given(email=EMAILS, phone=PHONES, name=WORDS, town=TOWNS, country=COUNTRIES, born=st.dates())
def test_meta_formats_as_its_own_sdk_does_for_events(
    email: str, phone: str, name: str, town: str, country: str, born: Any
) -> None:
    theirs: Callable[[str, str], str] = Normalize.normalize_field
    assert sent(META, "email", email) == theirs("em", email)
    assert sent(META, "phone", phone) == theirs("ph", phone)
    assert sent(META, "last_name", name) == theirs("ln", name)
    assert sent(META, "city", town) == theirs("ct", town)
    assert sent(META, "country", country) == theirs("country", country)
    if born.year >= 1900:
        assert sent(META, "birth_date", born.isoformat(), "DOBY") == theirs("doby", f"{born.year}")
        assert sent(META, "birth_date", born.isoformat(), "DOBM") == theirs("dobm", f"{born.month}")
        assert sent(META, "birth_date", born.isoformat(), "DOBD") == theirs("dobd", f"{born.day}")


@given(
    email=EMAILS,
    phone=PHONES,
    name=NAMES.filter(str.isascii),
    town=TOWNS.filter(str.isascii),
    postcode=st.integers(10000, 99999).map(str),
    sex=st.sampled_from(["m", "F", "male", "Female"]),
    maid=st.uuids().map(lambda uuid: str(uuid).upper()),
)
def test_meta_formats_as_its_own_sdk_does_for_audiences(
    email: str, phone: str, name: str, town: str, postcode: str, sex: str, maid: str
) -> None:
    columns = {
        "email": email,
        "phone": phone,
        "first_name": name,
        "city": town,
        "postcode": postcode,
        "sex": sex,
        "external_id": "ab-12",
    }
    schema = [META.fields[column] for column in columns]
    payload = CustomAudienceMixin.format_params(schema, [list(columns.values())], is_raw=True)["payload"]
    ours = META.prepare([columns]).rows[0]
    assert [ours[field] for field in schema] == payload["data"][0]
    alone = CustomAudienceMixin.format_params("MOBILE_ADVERTISER_ID", [maid.lower()])["payload"]["data"]
    assert [sent(META, "maid", maid)] == alone
