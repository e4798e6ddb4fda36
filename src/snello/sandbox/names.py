"""Italian first names and surnames with weights, so that homonyms are as common as in life."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from faker.providers.person.it_IT import Provider as Persons

from snello.sandbox.draw import Floats

# The most common names in their order, for people born before and after 1975.
MEN_BEFORE = (
    "Giuseppe Antonio Giovanni Mario Francesco Luigi Salvatore Vincenzo Pietro Roberto Franco Domenico Angelo Carlo "
    "Bruno Sergio Paolo Michele Giorgio Claudio Aldo Luciano Giancarlo Maurizio Gianni Renato Enzo Piero Pasquale Rocco"
)
MEN_AFTER = (
    "Andrea Marco Francesco Alessandro Luca Matteo Davide Lorenzo Simone Stefano Riccardo Federico Gabriele Daniele "
    "Fabio Giuseppe Antonio Roberto Mattia Tommaso Giovanni Leonardo Emanuele Nicola Filippo Michele Edoardo Niccolò "
    "Pietro Alessio Cristian Gianluca Massimo Nicolò Samuele Diego Salvatore Vincenzo"
)
WOMEN_BEFORE = (
    "Maria Anna Giuseppina Rosa Angela Giovanna Teresa Lucia Carmela Caterina Francesca Antonietta Carla Elena "
    "Concetta Rita Margherita Franca Paola Luisa Graziella Silvana Bruna Ivana Patrizia Daniela Rosanna Luciana "
    "Mirella Loredana"
)
WOMEN_AFTER = (
    "Giulia Chiara Francesca Sara Martina Valentina Elena Alessia Federica Silvia Laura Elisa Ilaria Alice Giorgia "
    "Serena Paola Roberta Barbara Simona Michela Sofia Aurora Beatrice Camilla Arianna Gaia Marta Noemi Monica Claudia"
)
DOUBLE_MEN = ("Gian Luca", "Pier Paolo", "Gian Carlo", "Giovanni Battista", "Pier Luigi", "Carlo Alberto", "Gian Piero")
DOUBLE_WOMEN = ("Maria Grazia", "Anna Maria", "Maria Teresa", "Maria Luisa", "Rosa Maria", "Maria Pia", "Anna Rita")
FOREIGN_MEN = ("Ahmed", "Mohamed", "Ion", "Andrei", "Arben", "Wei", "Carlos", "Oleksandr", "Rajesh", "Mamadou")
FOREIGN_WOMEN = ("Fatima", "Natalia", "Ioana", "Mirela", "Li", "Olena", "Svetlana", "Mariana", "Priya", "Aminata")
SURNAMES = (
    "Rossi Russo Ferrari Esposito Bianchi Romano Colombo Bruno Ricci Marino Greco Gallo Conti Costa Mancini Giordano "
    "Rizzo Lombardi Moretti Barbieri Fontana Caruso Mariani Ferrara Santoro Rinaldi Leone Longo Galli Martini Serra "
    "Martinelli Vitale Marchetti Gentile Coppola Villa Fabbri Ferri Monti Silvestri Grassi Parisi Sala Sanna Testa "
    "Cantù"
)
FOREIGN_SURNAMES = (
    "Popescu Popa Hoxha Shehu Hu Chen Wang Singh Kaur Diop Ndiaye Hassan Rahman Shevchenko Kovalenko Garcia Rodriguez"
)
FOREIGN_SHARE = 0.07
DOUBLE_SHARE = 0.04


@dataclass(frozen=True)
class Pool:
    """Names to draw from and how likely each is."""

    values: tuple[str, ...]
    weights: Floats


def _ranked(count: int, steepness: float) -> Floats:
    """Weights that fall with the rank, as the use of names does."""
    weights = 1.0 / np.arange(4, count + 4) ** steepness
    return np.asarray(weights / weights.sum())


def _pool(
    common: str, tail: tuple[str, ...], rare: tuple[tuple[tuple[str, ...], float], ...], steepness: float
) -> Pool:
    top = tuple(common.split())
    values = top + tuple(sorted(set(tail) - set(top)))
    weights = [_ranked(len(values), steepness) * (1 - sum(share for _, share in rare))]
    for names, share in rare:
        values += names
        weights.append(np.full(len(names), share / len(names)))
    return Pool(values, np.concatenate(weights))


@cache
def first_names(sex: str, young: bool) -> Pool:
    """First names of one sex and generation."""
    men = sex == "M"
    tail = Persons.first_names_male if men else Persons.first_names_female
    common = (MEN_AFTER if young else MEN_BEFORE) if men else (WOMEN_AFTER if young else WOMEN_BEFORE)
    double, foreign = (DOUBLE_MEN, FOREIGN_MEN) if men else (DOUBLE_WOMEN, FOREIGN_WOMEN)
    return _pool(common, tuple(tail), ((double, DOUBLE_SHARE), (foreign, FOREIGN_SHARE)), 1.15)


@cache
def surnames() -> Pool:
    """Surnames: the common, Faker's, and those made from a given name (Di Marco, D'Angelo)."""
    men = sorted(set(Persons.first_names_male))
    derived = tuple(
        f"D'{name}" if name[0] in "AEIOU" else f"{('Di', 'De')[i % 2]} {name}" for i, name in enumerate(men)
    )
    tail = tuple(Persons.last_names) + derived
    return _pool(SURNAMES, tail, ((tuple(FOREIGN_SURNAMES.split()), FOREIGN_SHARE),), 0.62)
