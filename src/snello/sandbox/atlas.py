"""Italian places: postcodes, towns, provinces, cadastral codes, dialling prefixes.

Postcodes come from Faker's Italian table, cadastral (Belfiore) codes from python-codicefiscale's; a town counts when
both know it.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import codicefiscale
import numpy as np
import polars as pl
from faker.providers.address.it_IT import Provider as Addresses

from snello.sandbox.draw import Floats

OLDEST_BIRTH = "1930-01-01"
SMALL_TOWN = 6.0
NO_LONGER = "9999-12-31"
SEAM = timedelta(days=2)

# Inhabitants in thousands; every other town counts as SMALL_TOWN.
CITIES = {
    "roma": 2750, "milano": 1370, "napoli": 910, "torino": 840, "palermo": 630, "genova": 560, "bologna": 390,
    "firenze": 360, "bari": 315, "catania": 300, "verona": 255, "venezia": 250, "messina": 218, "padova": 207,
    "trieste": 199, "brescia": 197, "parma": 196, "prato": 195, "taranto": 188, "modena": 184, "perugia": 162,
    "ravenna": 156, "livorno": 153, "rimini": 150, "cagliari": 148, "foggia": 146, "ferrara": 129, "salerno": 127,
    "monza": 122, "bergamo": 120, "pescara": 118, "trento": 118, "siracusa": 116, "vicenza": 110, "terni": 107,
    "bolzano": 106, "piacenza": 103, "novara": 101, "ancona": 99, "udine": 98, "arezzo": 97, "pesaro": 95, "lecce": 94,
}  # fmt: skip

PREFIXES = (
    "AG0922 AL0131 AN071 AO0165 AP0736 AQ0862 AR0575 AT0141 AV0825 BA080 BG035 BI015 BL0437 BN0824 BO051 BR0831 BS030 "
    "BT0883 BZ0471 CA070 CB0874 CE0823 CH0871 CL0934 CN0171 CO031 CR0372 CS0984 CT095 CZ0961 EN0935 FC0543 FE0532 "
    "FG0881 FI055 FM0734 FR0775 GE010 GO0481 GR0564 IM0183 IS0865 KR0962 LC0341 LE0832 LI0586 LO0371 LT0773 LU0583 "
    "MB039 MC0733 ME090 MI02 MN0376 MO059 MS0585 MT0835 NA081 NO0321 NU0784 OR0783 PA091 PC0523 PD049 PE085 PG075 "
    "PI050 PN0434 PO0574 PR0521 PT0573 PU0721 PV0382 PZ0971 RA0544 RC0965 RE0522 RG0932 RI0746 RM06 RN0541 RO0425 "
    "SA089 SI0577 SO0342 SP0187 SR0931 SS079 SU0781 SV019 TA099 TE0861 TN0461 TO011 TP0923 TR0744 TS040 TV0422 UD0432 "
    "VA0332 VB0323 VC0161 VE041 VI0444 VR045 VT0761 VV0963"
)

STREETS = (
    "Via Roma", "Via Garibaldi", "Via Mazzini", "Via Dante Alighieri", "Corso Italia", "Via Cavour", "Via Verdi",
    "Via Guglielmo Marconi", "Piazza Vittorio Veneto", "Via IV Novembre", "Via XX Settembre", "Via Giacomo Matteotti",
    "Via Antonio Gramsci", "Via Kennedy", "Viale della Libertà", "Via Galileo Galilei", "Via Leonardo da Vinci",
    "Via Michelangelo", "Corso Umberto I", "Via Trento", "Via Trieste", "Via San Francesco", "Via Sant'Antonio",
    "Piazza del Popolo", "Via della Repubblica", "Via Aldo Moro", "Via Papa Giovanni XXIII", "Via dei Mille",
    "Viale Europa", "Via Giovanni Pascoli", "Via Giacomo Leopardi", "Via Alessandro Manzoni", "Via Ugo Foscolo",
    "Via Giosuè Carducci", "Via Rossini", "Via Puccini", "Via Vittorio Emanuele II", "Via Monte Grappa", "Via Piave",
    "Via del Lavoro", "Vicolo del Forno", "Largo Augusto", "Strada Provinciale", "Contrada San Marco", "Via Gorizia",
    "Via Enrico Fermi", "Via Alessandro Volta", "Viale dei Tigli", "Via delle Rose", "Via dei Gelsomini",
    "Via della Stazione", "Via Nazionale", "Viale Regina Margherita", "Via Salvo D'Acquisto", "Via Battisti",
    "Via Torino", "Via Milano", "Via Firenze", "Via Napoli", "Via Venezia", "Via Bologna", "Via Palermo",
    "Borgo San Lorenzo", "Via Carlo Alberto", "Via Camillo Benso", "Via Toscana", "Via Lombardia", "Via Sicilia",
)  # fmt: skip


@dataclass(frozen=True)
class Atlas:
    """Where people live and were born.

    - ``towns``: postcode, city, province, prefix (of the landline), belfiore; one row a postcode and town
    - ``weights``: how likely each row is
    - ``countries``: cadastral codes of the birthplaces abroad
    """

    towns: pl.DataFrame
    weights: Floats
    countries: list[str]


def _read(name: str) -> list[dict[str, Any]]:
    path = Path(codicefiscale.__file__).parent / "data" / name
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return rows


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if c.isalnum() and c.isascii())


def _continuous(periods: list[tuple[str, str]]) -> bool:
    """Whether a code was in force without a gap since OLDEST_BIRTH: only then is it right for everybody alive."""
    periods.sort()
    joined = all(
        datetime.fromisoformat(start) - datetime.fromisoformat(end) <= SEAM
        for (_, end), (start, _) in pairwise(periods)
    )
    return joined and periods[0][0] < OLDEST_BIRTH and periods[-1][1] == NO_LONGER


def _cadastral() -> dict[tuple[str, str], str]:
    """Code of each town of today, by its plain name and province."""
    rows = _read("municipalities.json")
    periods: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        periods.setdefault(row["code"], []).append((row["date_created"] or NO_LONGER, row["date_deleted"] or NO_LONGER))
    lasting = {code for code, spans in periods.items() if _continuous(spans)}
    return {
        (slug.replace("-", ""), row["province"]): row["code"]
        for row in rows
        if row["active"] and row["code"] in lasting
        for slug in row["name_slugs"]
    }


@cache
def atlas() -> Atlas:
    """The places, read once a process."""
    cadastral = _cadastral()
    rows = [
        (postcode, city, province, cadastral[key])
        for postcode, places in Addresses.cap_city_province.items()
        for city, province in places
        if (key := (_plain(city), province)) in cadastral
    ]
    towns = pl.DataFrame(rows, schema=["postcode", "city", "province", "belfiore"], orient="row")
    # A city with postcodes by district also has an obsolete general one, which ends in 00.
    general = (pl.len().over("city", "province") > 1) & pl.col("postcode").str.ends_with("00")
    prefixes = {entry[:2]: entry[2:] for entry in PREFIXES.split()}
    towns = towns.filter(~general).with_columns(
        prefix=pl.col("province").replace_strict(prefixes),
        share=pl.len().over("city", "province"),
        people=pl.col("city").str.to_lowercase().replace_strict(CITIES, default=SMALL_TOWN, return_dtype=pl.Float64),
    )
    weights = (towns["people"] / towns["share"]).to_numpy().astype(np.float64)
    countries = sorted({row["code"] for row in _read("countries.json") if row["active"]})
    return Atlas(towns.drop("share", "people"), weights, countries)
