"""How many people a second are normalised and hashed for each platform, beside the vendor's own code.

    python bench/hash_people.py [PEOPLE]

One core, batches of 10,000 as the targets send them; seconds are of the processor. People: e-mail, phone, two names,
birth date, town, province, postcode, country, from the lists of Italian names and towns. The vendors' code reads the
same values on a sample of 20,000, one by one, as it does for its users.
"""

from __future__ import annotations

import importlib.util
import random
import sys
import time
import types
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from typing import Any

from snello.identifiers.platforms import PLATFORMS

BATCH, SAMPLE = 10_000, 20_000
FIRST = ("Giulia", "Marco", "Anna", "Luca", "Francesca", "Niccolò", "Maria Grazia", "Paolo", "Elena")
SYLLABLES = ("ros", "bian", "fer", "mar", "gal", "con", "ti", "elli", "ini", "etti")
TOWNS = [("Roma", "RM", "00184"), ("Milano", "MI", "20121"), ("Forlì", "FC", "47121"), ("L'Aquila", "AQ", "67100")]
HOSTS = ("gmail.com", "libero.it", "example.com", "azienda.it")
META_FIELDS = {
    "email": "em",
    "phone": "ph",
    "first_name": "fn",
    "last_name": "ln",
    "city": "ct",
    "province": "st",
    "postcode": "zp",
    "country": "country",
}


def people(count: int) -> Iterator[list[dict[str, str]]]:
    """Batches of people, always the same ones."""
    dice = random.Random(7)
    for start in range(0, count, BATCH):
        yield [person(dice, number) for number in range(start, min(start + BATCH, count))]


def person(dice: random.Random, number: int) -> dict[str, str]:
    """One of them; no two share an address or a number."""
    first, last = dice.choice(FIRST), "".join(dice.choices(SYLLABLES, k=dice.randint(2, 4))).title()
    town, province, postcode = dice.choice(TOWNS)
    return {
        "email": f"{first[:4]}.{last}{number}@{dice.choice(HOSTS)}",
        "phone": f"+39320{number:07}",
        "first_name": first,
        "last_name": last,
        "birth_date": f"{dice.randint(1930, 2007)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
        "city": town,
        "province": province,
        "postcode": postcode,
        "country": "IT",
    }


def metas_own() -> Callable[[dict[str, str]], None]:
    """One person by the normaliser of Meta's SDK."""
    from facebook_business.adobjects.serverside.normalize import Normalize

    def one(row: dict[str, str]) -> None:
        for column, field in META_FIELDS.items():
            Normalize.normalize_field(field, row[column])
        year, month, day = row["birth_date"].split("-")
        for field, value in (("doby", year), ("dobm", month), ("dobd", day)):
            Normalize.normalize_field(field, value)

    return one


def googles_own() -> Callable[[dict[str, str]], None]:
    """One person by Google's formatter, without the key service that it would load."""
    stand_in = types.ModuleType("google.ads.datamanager_util.encrypt")
    stand_in.__dict__["Encrypter"] = object
    for name in ("google.ads", "google.ads.datamanager_util"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules[stand_in.__name__] = stand_in
    place = distribution("google-ads-datamanager-util").locate_file("google/ads/datamanager_util/format.py")
    spec: Any = importlib.util.spec_from_file_location("googles_format", str(place))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    formatter, hexadecimal = module.Formatter(), module.Encoding.HEX

    def one(row: dict[str, str]) -> None:
        formatter.process_email_address(row["email"], hexadecimal)
        formatter.process_phone_number(row["phone"], hexadecimal)
        formatter.process_given_name(row["first_name"], hexadecimal)
        formatter.process_family_name(row["last_name"], hexadecimal)
        formatter.process_region_code(row["country"])
        formatter.process_postal_code(row["postcode"])

    return one


def main(count: int) -> None:
    """Print a line for each platform and each vendor."""
    spent = dict.fromkeys(PLATFORMS, 0.0)
    fields = dict.fromkeys(PLATFORMS, 0)
    for batch in people(count):
        for name, platform in PLATFORMS.items():
            start = time.process_time()
            prepared = platform.prepare(batch)
            spent[name] += time.process_time() - start
            fields[name] += sum(map(len, prepared.rows))
    for name, seconds in spent.items():
        print(f"{name:<10} {count:>9,} people {seconds:6.2f} s {count / seconds:>9,.0f}/s {fields[name]:>11,} values")
    sample = next(people(SAMPLE)) + list(people(SAMPLE))[1]
    for name, own in (("meta's own", metas_own()), ("google's own", googles_own())):
        start = time.process_time()
        for row in sample:
            own(row)
        seconds = time.process_time() - start
        print(f"{name:<12} {SAMPLE:>7,} people {seconds:6.2f} s {SAMPLE / seconds:>9,.0f}/s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
