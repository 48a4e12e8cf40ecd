"""Enough English to say a fact as a sentence and to ask about it.

A deed is a verb phrase in base form ("find a letter and read it"). With somebody who does it, it becomes a clause
("Mara finds a letter and reads it") or the tail of a question ("does Mara find a letter and read it").
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from moviellm.pocket import vocabulary
from moviellm.qa import lexicon

_IRREGULAR = {"have": "has", "be": "is", "do": "does", "go": "goes"}
_LEADING = re.compile(
    r"^(The|A|An|His|Her|Its|Their|Some|Someone|Somebody|He|She|It|They|There|This|That|Only|Nobody|No|By|With|To|Because|So|In|When)\b"
)
_SUBORDINATE = re.compile(r"\b(that|who|which|how|what|where|if|when|while|because|must|can|will|should|would|could)\b")
_AND = re.compile(r"\s+(and then|and|but|then|or)\s+|,\s+(then|and then|and|but)?\s*")


@dataclass(frozen=True)
class _Deed:
    adverbs: str
    verb: str
    rest: str


def clause(who: str, deed: str) -> str:
    """Who does it, in the present tense: ("Mara", "find a letter") → "Mara finds a letter"."""
    return f"{subject(who)} {predicate(who, deed)}"


def predicate(who: str, deed: str) -> str:
    """The deed in the form that agrees with `who`: "finds a letter", for several people "find a letter"."""
    plural = is_plural(who)
    parsed = _parsed(deed)
    if parsed.verb in lexicon.MODALS:
        return _joined(parsed.adverbs, parsed.verb, parsed.rest)
    if parsed.verb == "not":
        return _joined(parsed.adverbs, "do not" if plural else "does not", parsed.rest)
    if plural:
        return _joined(parsed.adverbs, "are" if parsed.verb == "be" else parsed.verb, parsed.rest)
    return _joined(parsed.adverbs, third_person(parsed.verb), _later_verbs(parsed))


def inverted(who: str, deed: str) -> str:
    """The tail of a question: "does Mara find a letter", "is Mara afraid", "must Mara leave", "does Mara not stop"."""
    plural, name = is_plural(who), subject(who)
    parsed = _parsed(deed)
    does = "do" if plural else "does"
    if parsed.verb in lexicon.MODALS:
        return _joined(parsed.verb, name, parsed.adverbs, parsed.rest)
    if parsed.verb == "be":
        return _joined("are" if plural else "is", name, parsed.adverbs, parsed.rest)
    if parsed.verb == "not":
        return _joined(does, name, "not", parsed.rest)
    if parsed.verb == "do" and parsed.rest.startswith("not "):
        return _joined(does, name, parsed.rest)
    if _is_perfect(parsed):
        return _joined("have" if plural else "has", name, parsed.adverbs, parsed.rest)
    return _joined(does, name, parsed.adverbs, parsed.verb, parsed.rest)


def third_person(verb: str) -> str:
    """The verb as one person does it: find → finds, carry → carries, go → goes, be → is."""
    if verb in _IRREGULAR:
        return _IRREGULAR[verb]
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ies"
    return verb + ("es" if re.search(r"(s|x|z|ch|sh|o)$", verb) else "s")


def main_verb(deed: str) -> str:
    """The deed's verb in base form: "secretly read the letter" → "read"; "not" for a bare negation."""
    return _parsed(deed).verb


def is_negative(deed: str) -> bool:
    """Whether the deed is something that is not done."""
    return re.search(r"\b(not|never|cannot|no longer)\b|n't\b", deed) is not None


def is_plural(who: str) -> bool:
    """Whether `who` takes "do": "Mara and Tom", "the villagers"; a name alone never does."""
    words = who.lower().split()
    if " and " in who or (words and words[-1] in lexicon.PLURALS):
        return True
    described = bool(words) and words[0] in ("the", "some", "two", "three", "many", "all", "his", "her", "their")
    return described and re.search(r"[^su']s$", words[-1]) is not None


def subject(who: str) -> str:
    """`who` as it stands within a sentence; "somebody" where nobody is named."""
    return lowered(who.strip()) or "somebody"


def place_phrase(place: str) -> str:
    """Where it is, with its preposition and article: "ship deck" → "on the ship deck"; empty for no place."""
    place = place.strip()
    if not place:
        return ""
    for location in vocabulary.LOCATIONS:
        if location.name == place.lower():
            return f"{location.preposition} the {location.name}"
    noun = place.split()[-1].lower()
    preposition = "on" if noun in lexicon.ON_PLACES else "in" if noun in lexicon.IN_PLACES else "at"
    article = "" if re.match(r"(?i)(the|a|an|his|her|their)\s", place) else "the "
    return f"{preposition} {article}{lowered(place)}"


def reason_phrase(reason: str) -> str:
    """A reason with the word that joins it: "because the storm has washed it ashore", "in order to warn the ships"."""
    reason = lowered(_bare(reason))
    if not reason or re.match(r"(because|since|so that|so as|in order|due to|out of|for fear|as )\b", reason):
        return reason
    return f"in order {reason}" if reason.startswith("to ") else f"because {reason}"


def means_phrase(means: str) -> str:
    """Means with the word that joins them: "searching the beach" → "by searching the beach"."""
    means = lowered(_bare(means))
    return f"by {means}" if re.match(r"\w+ing\b", means) else means


def with_article(noun: str) -> str:
    """A singular noun with "a" or "an", unless it has an article already: "sailor" → "a sailor"."""
    noun = lowered(noun.strip())
    return noun if re.match(r"(the|a|an|his|her|their)\s", noun) else vocabulary.article(noun)


def extended(clause: str, phrase: str) -> str:
    """The clause with a reason, means or place behind it, after a comma where the clause ends in an insertion."""
    return f"{clause}, {phrase}" if "," in clause.rpartition(" and ")[2] else f"{clause} {phrase}"


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop; empty for an empty text."""
    text = text.strip()
    if not text:
        return ""
    text = text[0].upper() + text[1:]
    return text if re.search(r"[.!?][\"'”’)]*$", text) else text + "."


def listed(items: Sequence[str], word: str = "and") -> str:
    """The items as people list them: "a", "a and b", "a, b and c"."""
    return f"{', '.join(items[:-1])} {word} {items[-1]}" if len(items) > 1 else "".join(items)


def lowered(text: str) -> str:
    """The text without the capital letter that only its first place gave it; names keep theirs."""
    return text[0].lower() + text[1:] if _LEADING.match(text) else text


def _bare(text: str) -> str:
    return text.strip().rstrip(".!;,").strip()


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _parsed(deed: str) -> _Deed:
    words = _bare(deed).split()
    if words and words[0].lower() == "to":
        words = words[1:]
    if words:
        words[0] = words[0].lower()
    count = 0
    while count < len(words) - 1 and _is_adverb(words[count]):
        count += 1
    verb = _base(words[count]) if words else ""
    return _Deed(" ".join(words[:count]), verb, " ".join(words[count + 1 :]))


def _base(verb: str) -> str:
    for base, third in _IRREGULAR.items():
        if verb in (third, base):
            return base
    if verb in lexicon.VERBS or not verb.endswith("s"):
        return verb
    candidates = (verb[:-1], verb[:-2], verb[:-3] + "y")
    return next((base for base in candidates if base in lexicon.VERBS and third_person(base) == verb), verb)


def _is_adverb(word: str) -> bool:
    return word in lexicon.ADVERBS or (word.endswith("ly") and word not in lexicon.VERBS_IN_LY)


def _is_perfect(deed: _Deed) -> bool:
    following = deed.rest.split()
    if deed.verb != "have" or not following:
        return False
    word = (
        following[1] if following[0] in ("just", "already", "never", "always") and len(following) > 1 else following[0]
    )
    return word in lexicon.PARTICIPLES or (word.endswith("ed") and len(word) > 3)


def _later_verbs(deed: _Deed) -> str:
    """The rest of the deed, with the verbs that "and" joins to the first one in the third person as well."""
    if (deed.verb == "do" and deed.rest.startswith("not ")) or _is_perfect(deed):
        return deed.rest
    text, done, directly = " " + deed.rest, "", True
    while joint := _AND.search(text):
        before = text[: joint.start()]
        if _SUBORDINATE.search(before) or _has_infinitive(before):
            break
        directly = directly and not before.strip()
        done, text = done + text[: joint.end()], text[joint.end() :]
        word, after = _first_words(text)
        if _is_verb_here(word, after, directly):
            done, text, directly = done + third_person(word), text[len(word) :], True
    return (done + text).strip()


def _has_infinitive(text: str) -> bool:
    return any(word in lexicon.VERBS or word in _IRREGULAR for word in re.findall(r"\bto (\w+)", text))


def _first_words(text: str) -> tuple[str, str]:
    words = re.findall(r"[\w']+", text)
    return (words[0] if words else ""), (words[1] if len(words) > 1 else "")


def _is_verb_here(word: str, after: str, joined_verb: bool) -> bool:
    if word not in lexicon.VERBS:
        return word in _IRREGULAR
    return (
        joined_verb
        or word not in lexicon.VERBS_AND_NOUNS
        or after in lexicon.DETERMINERS
        or after in lexicon.PREPOSITIONS
    )
