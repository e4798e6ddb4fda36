"""Makes the shipped tables again from the packages they come from: ``python tests/identifiers/build_tables.py``."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from codicefiscale.codicefiscale import _get_birthplace
from codicefiscale.data import get_countries_data, get_municipalities_data, get_names_data
from faker.providers.address.it_IT import Provider as Addresses
from faker.providers.person.it_IT import Provider as Persons

from snello.identifiers.text import fold

DATA = Path(__file__).parents[2] / "src/snello/identifiers/data"


def text(source: str, header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """One table as CSV, with its origin in the first line."""
    out = io.StringIO()
    out.write(f"# {source}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return out.getvalue()


def birthplaces() -> str:
    """Cadastral codes; ``until`` is the last day of a name, empty while the code is still accepted under it."""
    by_code = defaultdict(list)
    for place in (*get_municipalities_data(), *get_countries_data()):
        by_code[place["code"]].append(place)
    lines = []
    for code, places in sorted(by_code.items()):
        named = sorted((p["date_deleted"][:10] or "9999", p["name"], p["province"]) for p in places)
        last = len(named) - 1
        open_ended = _get_birthplace(code, datetime(2025, 12, 31)) is not None
        for index, (until, name, province) in enumerate(named):
            lines.append((code, name, province, "" if until == "9999" or (index == last and open_ended) else until))
    return text(
        f"python-codicefiscale {version('python-codicefiscale')} (MIT)", ("code", "name", "province", "until"), lines
    )


def letters(name: str) -> str:
    """A place's name for comparison: neither accents nor apostrophes nor spaces tell places apart."""
    return "".join(c for c in fold(name) if c.isalpha())


def official_names() -> dict[tuple[str, str], str]:
    """Today's municipalities by letters and province, and by letters alone (province ``""``) where unique."""
    found, alone = {}, defaultdict(set)
    for place in get_municipalities_data():
        if place["active"]:
            found[letters(place["name"]), place["province"]] = place["name"]
            alone[letters(place["name"])].add(place["name"])
    # A province may have been renamed since either table was made: the name alone still finds most of them.
    return found | {(key, ""): next(iter(names)) for key, names in alone.items() if len(names) == 1}


def postcodes() -> str:
    """Every place of a postcode; ``town`` says whether the place is a municipality of its own today."""
    official = official_names()
    lines = set()
    for cap, places in Addresses.cap_city_province.items():
        for place, province in places:
            key = letters(place)
            town = official.get((key, province)) or official.get((key, ""))
            lines.add((cap, town or place, province, "1" if town else "0"))
    source = f"Faker {version('faker')} it_IT (MIT), from GeoNames (CC BY 4.0); names of python-codicefiscale (MIT)"
    return text(source, ("postcode", "place", "province", "town"), sorted(lines))


def given_names() -> str:
    """Italian given names, folded, with the sexes that bear them."""
    sexes = defaultdict(set)
    for sex, names in (
        *get_names_data().items(),
        ("M", Persons.first_names_male),
        ("F", Persons.first_names_female),
    ):
        for name in names:
            sexes[fold(name)].add(sex)
    source = f"python-codicefiscale {version('python-codicefiscale')} (MIT) and Faker {version('faker')} it_IT (MIT)"
    return text(source, ("name", "sexes"), ((name, "".join(sorted(found))) for name, found in sorted(sexes.items())))


TABLES = {"birthplaces": birthplaces, "postcodes": postcodes, "given_names": given_names}

if __name__ == "__main__":
    for name, build in TABLES.items():
        (DATA / f"{name}.csv").write_text(build(), encoding="utf-8")
