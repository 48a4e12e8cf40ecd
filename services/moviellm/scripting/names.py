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
    "Adem Alaric Amadou Anselm Arvid Bastian Benoit Bram Casimir Cyrus Dario Dmitri Edmund Emeka Emil Enzo Farid "
    "Fergus Gaspar Goran Hakon Henrik Hiro Idris Ignacio Ilya Isamu Ivo Jamal Janek Joaquin Kaito Kofi Kwame Lazlo "
    "Leopold "
    "Luca Magnus Mateo Milan Nikhil Nils Oskar Osman Pavel Pedro Quentin Rafael Ravi Rashid Ruben Samir Sandor Sven "
    "Tadeo Tariq Teo Thiago Tomas Umberto Viktor Vikram Wendel Xavier Yannick Yusuf Zoltan"
)


_KNOWN_FEMALE = _list(
    "Alice Juliet Anna Maria Emma Julia Sophie Sophia Olivia Mary Jane Elizabeth Sarah Laura Cinderella Dorothy Eva "
    "Helen Isabella Joan Kate Lily Lucy Marie Matilda Nina Olga Pippi Rapunzel Rosa Ruth Susan Wendy Clara"
)
_KNOWN_MALE = _list(
    "Romeo John James Robert Michael William David Thomas Charles Peter Paul George Henry Jack Arthur Adam Alexander "
    "Anton Ben Daniel Felix Frank Hans Jacob Joseph Leo Max Oliver Oscar Robin Simon Tom Walter Albert"
)


def female_by_name(name: str) -> bool | None:
    """Whether a known name is a woman's; None for unknown names."""
    if name in FEMALE or name in _KNOWN_FEMALE:
        return True
    return False if name in MALE or name in _KNOWN_MALE else None


def pick(rng: random.Random, female: bool, taken: Collection[str]) -> str:
    """A name whose first letter no taken name has."""
    letters = {name[:1].upper() for name in taken}
    return rng.choice([name for name in (FEMALE if female else MALE) if name[0] not in letters])
