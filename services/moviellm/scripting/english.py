"""The little English grammar that the storyteller needs: articles, third person, -ing forms, titles."""

import re

_VOWELS = "aeiou"
_IRREGULAR_THIRD = {"be": "is", "have": "has", "do": "does", "go": "goes"}
_IRREGULAR_BASE = {"is": "be", "has": "have", "does": "do", "goes": "go"}
_DOUBLED = {
    "admit", "beg", "begin", "chop", "dig", "drop", "fit", "forget", "get", "grab", "hit", "hug", "knit", "let", "nod",
    "plan", "put", "rob", "run", "set", "shut", "sit", "slip", "spin", "step", "stop", "swim", "trap", "trip", "win",
    "wrap", "cut", "spot", "ban", "submit", "map", "pin", "bet", "quit", "swap", "kidnap",
}  # fmt: skip
_IRREGULAR_PLURALS = {
    "men": "man", "women": "woman", "children": "child", "people": "person", "wives": "wife", "thieves": "thief",
    "wolves": "wolf", "mice": "mouse", "elves": "elf", "knives": "knife", "geese": "goose", "feet": "foot",
    "fishermen": "fisherman", "policemen": "policeman", "dwarves": "dwarf", "witches": "witch", "firemen": "fireman",
    "princesses": "princess", "duchesses": "duchess", "actresses": "actress", "waitresses": "waitress",
}  # fmt: skip
_PARTICIPLES = {
    "be": "been", "become": "become", "begin": "begun", "break": "broken", "bring": "brought", "build": "built",
    "buy": "bought", "catch": "caught", "choose": "chosen", "come": "come", "do": "done", "draw": "drawn",
    "fall": "fallen", "feel": "felt", "fight": "fought", "find": "found", "flee": "fled", "fly": "flown",
    "forget": "forgotten", "forgive": "forgiven", "get": "gotten", "give": "given", "go": "gone", "have": "had",
    "hear": "heard", "hide": "hidden", "hold": "held", "keep": "kept", "know": "known", "leave": "left", "lie": "lain",
    "lose": "lost", "make": "made", "meet": "met", "pay": "paid", "put": "put", "read": "read", "ride": "ridden",
    "run": "run", "say": "said", "see": "seen", "sell": "sold", "send": "sent", "set": "set", "sing": "sung",
    "sit": "sat", "speak": "spoken", "spend": "spent", "stand": "stood", "steal": "stolen", "swear": "sworn",
    "take": "taken", "teach": "taught", "tear": "torn", "tell": "told", "think": "thought", "understand": "understood",
    "wake": "woken", "weep": "wept", "win": "won", "write": "written", "drive": "driven", "swim": "swum",
    "sink": "sunk", "wear": "worn", "grow": "grown", "throw": "thrown", "rise": "risen", "beat": "beaten",
    "show": "shown", "lead": "led", "bury": "buried", "let": "let", "withdraw": "withdrawn", "overcome": "overcome",
    "hit": "hit", "cut": "cut", "shut": "shut", "lend": "lent", "bet": "bet", "dig": "dug", "freeze": "frozen",
    "shake": "shaken", "spread": "spread", "hurt": "hurt", "strike": "struck", "stick": "stuck", "sweep": "swept",
    "bear": "borne", "bind": "bound", "feed": "fed", "mean": "meant", "ring": "rung", "seek": "sought",
    "sleep": "slept", "lay": "laid", "swing": "swung", "wind": "wound", "blow": "blown", "cost": "cost",
    "split": "split", "slide": "slid", "creep": "crept", "shine": "shone", "spin": "spun", "withstand": "withstood",
    "mistake": "mistaken", "forbid": "forbidden", "undo": "undone", "shoot": "shot", "light": "lit",
    "awake": "awoken", "drink": "drunk", "eat": "eaten", "shrink": "shrunk",
}  # fmt: skip
_SMALL = {"a", "an", "the", "and", "or", "but", "of", "in", "on", "at", "to", "for", "from", "with", "by", "who", "as"}


def article(noun_phrase: str) -> str:
    """`a` or `an` before the phrase, by its sound."""
    word = noun_phrase.lower()
    silent = word.startswith(("hour", "honest", "heir", "honor", "honour"))
    hard = re.match(r"(uni([^nm]|$)|use|usu|eu|one\b|once\b|unicorn|ufo)", word)
    return f"{'an' if (word[:1] in _VOWELS and not hard) or silent else 'a'} {noun_phrase}"


def third_word(verb: str) -> str:
    """The third person singular of a verb in base form: find → finds, try → tries."""
    if verb in _IRREGULAR_THIRD:
        return _IRREGULAR_THIRD[verb]
    if verb.endswith("y") and verb[-2:-1] not in _VOWELS:
        return verb[:-1] + "ies"
    if verb.endswith(("s", "x", "z", "ch", "sh", "o")):
        return verb + "es"
    return verb + "s"


def base_word(verb: str) -> str:
    """The base form of a verb in the third person singular: finds → find, tries → try."""
    if verb in _IRREGULAR_BASE:
        return _IRREGULAR_BASE[verb]
    if verb.endswith("ies") and len(verb) > 4:
        return verb[:-3] + "y"
    if verb.endswith(("sses", "xes", "zzes", "ches", "shes", "oes")):
        return verb[:-2]
    return verb[:-1] if verb.endswith("s") and not verb.endswith("ss") else verb


def ing_word(verb: str) -> str:
    """The -ing form of a verb in base form: find → finding, run → running, lie → lying."""
    if verb == "be":
        return "being"
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb in _DOUBLED:
        return verb + verb[-1] + "ing"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return verb[:-1] + "ing"
    return verb + "ing"


def _first(phrase: str) -> tuple[str, str]:
    head, space, rest = phrase.partition(" ")
    return head, space + rest


def third(deed: str) -> str:
    """A verb phrase in base form as said of one person: `find a letter` → `finds a letter`."""
    verb, rest = _first(deed)
    if verb == "not":
        return f"does {deed}"
    return third_word(verb) + rest


def base(deed: str) -> str:
    """A verb phrase in the third person put back into base form."""
    verb, rest = _first(deed)
    return base_word(verb) + rest


def gerund(deed: str) -> str:
    """A verb phrase in base form as a noun: `find a letter` → `finding a letter`."""
    verb, rest = _first(deed)
    return f"not {gerund(rest.strip())}" if verb == "not" else ing_word(verb) + rest


def participle(deed: str) -> str:
    """A verb phrase in base form as a past participle: `lose the map` → `lost the map`."""
    verb, rest = _first(deed)
    if verb == "not":
        return f"not {participle(rest.strip())}"
    if verb in _PARTICIPLES:
        return _PARTICIPLES[verb] + rest
    if verb.endswith("y") and verb[-2:-1] not in _VOWELS:
        return f"{verb[:-1]}ied{rest}"
    if verb in _DOUBLED:
        return f"{verb}{verb[-1]}ed{rest}"
    return f"{verb}{'d' if verb.endswith('e') else 'ed'}{rest}"


def singular(noun: str) -> str:
    """The singular of a plural noun; a singular comes back unchanged."""
    low = noun.lower()
    if low in _IRREGULAR_PLURALS:
        return _IRREGULAR_PLURALS[low]
    if low.endswith("ies") and len(low) > 4:
        return noun[:-3] + "y"
    if low.endswith(("sses", "xes", "ches", "shes")):
        return noun[:-2]
    if low.endswith("s") and not low.endswith(("ss", "us", "is")) and len(low) > 3:
        return noun[:-1]
    return noun


def plural(noun: str) -> str:
    """The plural of a noun or of a noun phrase that ends with it."""
    lead, _, last = noun.rpartition(" ")
    irregular = next((many for many, one in _IRREGULAR_PLURALS.items() if one == last.lower()), "")
    return f"{lead} {irregular or third_word(last)}".strip()


def is_plural(noun: str) -> bool:
    """Whether the noun looks like a plural."""
    return singular(noun).lower() != noun.lower()


def possessive(noun: str) -> str:
    """The noun's possessive; names in -s take 's too."""
    return f"{noun}'s"


def upper_first(text: str) -> str:
    """The text with its first letter large."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """The text as a sentence: first letter large, one full stop unless it ends with a mark, single spaces."""
    text = upper_first(re.sub(r"\s+", " ", text).strip())
    return text if not text or text[-1] in ".!?" else f"{text}."


def title_case(text: str) -> str:
    """Words with large first letters, small words small inside."""
    words = text.split()
    return " ".join(
        word.lower() if i > 0 and word.lower() in _SMALL else upper_first(word) for i, word in enumerate(words)
    )
