"""What a picture can show, recognised in plain English by patterns: actions, expressions, passers-by."""

import re
from collections.abc import Iterator

from moviellm.scripting import english


def _list(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_VERBS = _list(
    "stand walk run sit kneel look talk think point wave cheer hold read hug dance argue squat crouch climb jump "
    "lie sleep lean carry open close push pull write draw paint play eat drink cook pour kiss embrace fight ride "
    "drive swim fly fall reach touch watch gaze stare glance listen speak whisper shout sing laugh smile cry weep "
    "search dig throw catch hand give take show knock wait turn bow pray work repair clean sweep cut hide follow "
    "chase step stumble stretch nod shake clap lift row sail fish hunt feed pick place put raise lower wear face "
    "greet meet examine inspect study press grip clutch pet stroke comfort lead help pack unfold fold light blow "
    "tie knit sew pace rest float peek "
)
_IRREGULAR = {
    "stood", "ran", "sat", "knelt", "held", "lay", "lies", "slept", "leant", "wrote", "drew", "ate", "drank", "fought",
    "rode", "drove", "swam", "flew", "fell", "spoke", "sang", "wept", "threw", "caught", "gave", "took", "hid", "shook",
}  # fmt: skip
_FORMS = (
    {english.third_word(verb) for verb in _VERBS}
    | {english.ing_word(verb) for verb in _VERBS}
    | {english.participle(verb) for verb in _VERBS if verb not in ("put", "cut", "read", "face", "light", "place")}
    | _IRREGULAR
) - {"faced", "lighted", "worked", "fished", "workes", "lights", "hands", "places", "steps", "rests", "lain"}
_BASES = {english.ing_word(verb): verb for verb in _VERBS}
_NOT_DOING = {
    "morning", "evening", "building", "ceiling", "railing", "clothing", "king", "ring", "wing", "string", "thing",
    "nothing", "something", "everything", "anything", "spring", "during", "wedding", "being", "including", "sling",
    "stocking", "opening", "clearing", "landing", "earring", "lightning", "dining", "living", "shilling", "viking",
    "darling", "wearing", "smiling", "frowning", "crying", "laughing", "grinning", "having", "setting",
}  # fmt: skip
_WORD = re.compile(r"[a-z]+")

_EXPRESSION = re.compile(
    r"\b(?:(?!(?:a|an|the|her|his|their|its|with|and|in|of)\b)\w+ (?:faces?|expressions?)"
    r"|smil(?:e|es|ing|ed)|grin\w*|frown\w*|scowl\w*|laugh\w*"
    r"|beam(?:s|ing)"
    r"|cry|cries|crying|weep\w*|sob\w*|tears?|tearful\w*|pout\w*|sneer\w*|blush\w*|glar(?:es?|ing)|grimac\w*|gasp\w*"
    r"|giggl\w*|chuckl\w*|smirk\w*|happy|happily|happiness|sad|sadly|sadness|angry|angrily|anger|furious\w*|calm|calmly"
    r"|serene\w*|serious\w*|surpris\w*|astonish\w*|amaze\w*|shock(?:ed)?|frighten\w*|afraid|scared|terrified|fear"
    r"|fearful\w*|worr(?:y|ied|iedly)|anxious\w*|nervous\w*|tense|thoughtful\w*|pensive\w*|curious\w*|proud\w*|pride"
    r"|hopeful\w*|relie(?:f|ved)|determin\w*|tired|weary|wearily|confus\w*|puzzl\w*|disappoint\w*|embarrass\w*|jealous\w*"
    r"|gentle|gently|tender\w*|loving\w*|joy|joyful\w*|joyous\w*|delight\w*|excite\w*|cheerful\w*|content|peaceful\w*"
    r"|solemn\w*|stern\w*|grim\w*|desperat\w*|despair\w*|sorrow\w*|melanchol\w*|guilty|guiltily|asham\w*|shy|shyly|bored"
    r"|disgust\w*|suspicious\w*|stunned|horrified|horror|awe|awed|wonder|concern\w*|focus(?:ed)?|mischievous\w*"
    r"|playful\w*"
    r"|grief|resolute\w*|defiant\w*|earnest\w*|wide eyes|wide-eyed|eyes wide|narrowed eyes"
    r"|raised eyebrows?|furrowed brow)\b",
    re.IGNORECASE,
)  # fmt: skip

_SEQUENCE = re.compile(
    r"\b(?:and then|then|afterwards?|meanwhile|finally|later on|before (?:\w+ly )?\w+ing|after (?:\w+ly )?\w+ing)\b",
    re.IGNORECASE,
)

_SOMEBODY = (
    "passer-by|passerby|passer by|stranger|man|woman|boy|girl|child|lady|gentleman|waiter|waitress|guard|soldier"
    "|policeman|officer|beggar|merchant|vendor|servant|sailor|fisherman|farmer|bystander|onlooker|customer|messenger|monk"
    "|nun|priest|driver|coachman|butler|maid|porter|traveler|traveller"
)
_PASSER_BY = re.compile(rf"\b(a|an|another|the|that) ((?:[a-z]+(?:-[a-z]+)?,? ){{0,4}}?)({_SOMEBODY})\b")
_DESCRIBED = re.compile(
    r"\b(?:hair|haired|beard|bearded|bald|glasses|hat|cap|coat|dress|suit|shirt|robe|uniform|cloak|scarf|apron|jacket"
    r"|gown|wearing|dressed|clothes|skirt|sweater|vest|trousers|boots|hood|shawl)\b"
)


def action_in(text: str) -> str:
    """The first thing that somebody does in the text; empty if nothing drawable is done."""
    for word in _WORD.findall(text.lower()):
        if word in _FORMS or (word.endswith("ing") and len(word) > 4 and word not in _NOT_DOING):
            return str(word)
    return ""


def base_of(word: str) -> str:
    """The base form of a common verb's -ing form: standing → stand; empty for any other word."""
    return _BASES.get(word, "")


def expression_in(text: str) -> str:
    """The words that tell how somebody feels; empty if there are none."""
    found = _EXPRESSION.search(text)
    return found.group() if found else ""


def sequence_in(text: str) -> str:
    """The word that makes one picture two: "then", "before leaving"; empty if the text is one moment."""
    found = _SEQUENCE.search(text)
    return found.group() if found else ""


def passers_by(text: str) -> Iterator[tuple[str, bool]]:
    """People without a name: the phrase, and whether it is told what they look like.

    `text` is a frame's description without the names and appearances of the cast.
    """
    for found in _PASSER_BY.finditer(text):
        about = found.group(2) + text[found.end() :].split(".")[0]
        yield " ".join(found.group().split()), bool(_DESCRIBED.search(about))
