"""Invented people's first names. None of them is a common English word, so that replacing a name never hits another."""

import random
from collections.abc import Collection


def _list(names: str) -> tuple[str, ...]:
    return tuple(names.split())


FEMALE = _list(
    "Adaeze Ailin Amara Anouk Asta Beatriz Bryndis Camila Chiyo Daria Delphine Edda Elif Elowen Esra Farah Fenna Freya "
    "Giulia Hana Hedda Ilse Imani Ines Isolde Jelena Kamala Keiko Lale Leocadia Linnea Lucia Mairead Malaika Marisol "
    "Mei Mira Nadia Nalini Nerys Noor Odile Oksana Paloma Petra Priya Quilla Ramona Rosalind Runa Sabine Saoirse Selma "
    "Shirin Sigrid Soraya Tamsin Thandi Tilda Ulla Valeria Vesna Wanjiru Xiomara Yara Yuki Zadie Zofia Zora"
)
MALE = _list(
    "Adem Alaric Amadou Anselm Arvid Bastian Benoit Bram Casimir Cyrus Dario Dmitri Edmund Emeka Emil Enzo Farid Fergus "
    "Gaspar Goran Hakon Henrik Hiro Idris Ignacio Ilya Isamu Ivo Jamal Janek Joaquin Kaito Kofi Kwame Lazlo Leopold "
    "Luca Magnus Mateo Milan Nikhil Nils Oskar Osman Pavel Pedro Quentin Rafael Ravi Rashid Ruben Samir Sandor Sven "
    "Tadeo Tariq Teo Thiago Tomas Umberto Viktor Vikram Wendel Xavier Yannick Yusuf Zoltan"
)


def female_by_name(name: str) -> bool | None:
    """What a listed name says, by itself; None for others."""
    return True if name in FEMALE else False if name in MALE else None


def pick(rng: random.Random, female: bool, taken: Collection[str]) -> str:
    """A name whose first letter no taken name has."""
    letters = {name[:1].upper() for name in taken}
    return rng.choice([name for name in (FEMALE if female else MALE) if name[0] not in letters])
