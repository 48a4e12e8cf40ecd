"""Words by which a theme is understood: people, verbs, genres. Pure data."""

from moviellm.scripting.english import ing_word, third_word


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


DETERMINERS = _set("a an the my his her our their your its one two three four five some several this that these those")
NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "several": 3, "some": 3}
PREPOSITIONS = _set(
    "in on at with without from of to for into onto under over between against about through during after before "
    "beyond across behind inside outside near above below around among along until by via versus vs toward towards"
)
FUNCTION_WORDS = (
    DETERMINERS
    | PREPOSITIONS
    | _set(
        "and or but who which that whose where when how why what if is are was were has have had be been must can "
        "cannot will would should not no never all every everything nobody nothing as it she he they"
    )
)
CLAUSE_OPENERS = _set("when how why what if where because while once there it we i you she he they")

FEMALE = _set(
    "woman women girl lady duchess queen princess grandmother grandma mother mom aunt sister daughter niece wife widow "
    "bride nun witch actress waitress heiress empress countess baroness maid ballerina seamstress goddess mermaid "
    "granny stewardess sorceress priestess governess huntress hostess schoolgirl cowgirl heroine girlfriend she"
)
MALE = _set(
    "man men boy gentleman duke king prince grandfather grandpa father dad uncle brother son nephew husband widower "
    "groom monk wizard waiter emperor count baron knight cowboy priest fisherman policeman fireman butler schoolboy "
    "sailor salesman milkman craftsman snowman businessman lord squire boyfriend he godfather"
)
OLD = _set(
    "grandmother grandma granny grandfather grandpa old elderly retired aging ageing ancient widow widower king "
    "professor abbot veteran"
)
CHILD = _set("girl boy child kid orphan schoolgirl schoolboy pupil toddler daughter son niece nephew little")
CREATURES = _set(
    "robot dragon ghost cat dog wolf bear fox horse bird owl mouse rabbit monster alien vampire zombie werewolf "
    "unicorn phoenix android cyborg elf fairy giant dwarf troll goblin angel demon snowman scarecrow whale elephant "
    "lion tiger penguin octopus turtle parrot crow raven bee spider snail frog goldfish puppet doll statue "
    "mermaid ai clone spirit skeleton mummy golem genie hamster pigeon donkey goat sheep cow pig hen duck"
)
PEOPLE = (
    FEMALE
    | MALE
    | CREATURES
    | CHILD - {"little"}
    | _set(
        "person people commoner chef cook thief spy captain pilot doctor nurse judge artist musician detective "
        "scientist astronaut keeper stranger friend enemy rival lover neighbor neighbour student teacher guard scholar "
        "servant hero villain pirate outlaw soldier general president mayor sheriff merchant peasant hermit pilgrim "
        "refugee immigrant nomad guide twin cousin parent family couple gang crew team tourist guest clerk architect "
        "archivist journalist magician clown poet monarch noble bandit assassin bodyguard apprentice architect "
        "astronomer beekeeper blacksmith cartographer chemist coach critic crook diplomat coroner mechanic medic mime "
        "ninja samurai prophet surgeon tailor tyrant veteran wanderer mathematician librarian gardener farmer baker "
        "shepherd lifeguard florist barista programmer hacker influencer accountant plumber barber locksmith "
        "undertaker gravedigger bee-keeper boxer dancer singer painter writer driver officer traveler traveller "
        "heir accomplice con-man ceo conductor oboist pope saint slave viking gladiator pharaoh warrior ambassador "
        "babysitter stuntman weatherman postman mailman watchman horseman swordsman nobleman "
        "cleaner janitor porter courier messenger inspector gambler"
    )
)
PEOPLE_ENDINGS = (
    "keeper",
    "maker",
    "master",
    "smith",
    "ologist",
    "ician",
    "monger",
    "woman",
    "man",
    "ographer",
    "wright",
)
PEOPLE_SUFFIXES = ("er", "or", "ist", "ian", "eer", "ess", "ant")
NOT_PEOPLE = _set(
    "winter summer water river tower letter flower computer matter number power paper order dinner supper weather "
    "adventure corner color colour door mirror floor harbor harbour horror terror honor honour error motor doctorate "
    "danger anger hunger thunder wonder whisper layer center butter silver leather feather ladder shoulder finger "
    "chapter border anchor armor razor rumor rumour humor tutor-book elevator tractor meteor theater theatre cover "
    "forever never ever under over after other another together either whether however rather better later former "
    "latter bitter clever tender proper super outer inner upper lower elder younger older bigger smaller longer "
    "business darkness happiness madness illness success princess-gown process access address loneliness kindness "
    "restaurant elephantine plant giantess important elegant distant constant instant brilliant ignorant "
    "monster-truck murder disaster quarter shelter spider-web container helicopter hamburger newspaper typewriter "
    "lighter counter printer poster roller trailer diner freighter cruiser bomber timer drawer hammer lever trigger "
    "refrigerator calculator generator mentor-ship factor sector vector tumor minor major junior senior interior "
    "exterior superior decor flavor flavour behavior labor labour savior-complex list twist mist artist-studio fist "
    "wrist feast guardian-angel asian italian russian indian christian amphibian victorian plus less unless wilderness "
    "chess mess dress stress compass glass grass loss boss-fight cross kiss bless endless homeless hopeless fearless "
    "reckless timeless career beer deer peer"
)

_VERBS = sorted(
    _set(
        "find discover receive inherit meet lose seek search steal save protect build learn teach love marry fall "
        "fight "
        "befriend rescue follow chase hunt hide escape run flee travel sail fly climb cross walk drive ride swim dive "
        "paint draw write read sing dance play cook bake open close guard carry bring take give send deliver return "
        "leave arrive enter visit explore investigate solve uncover reveal confess lie cheat trick betray forgive "
        "remember forget dream wish want hope long try need decide refuse agree promise swear vow plan plot wait watch "
        "see hear listen speak talk tell ask answer call shout whisper laugh cry smile sleep wake wander grow change "
        "become turn live work die kill murder survive raise adopt feed heal cure help serve lead rule conquer invade "
        "attack defend destroy break repair fix mend restore make create invent design compete win race challenge "
        "confront face defeat trap catch capture arrest haunt curse bless summon believe doubt fear hate envy trust "
        "think know understand realize notice stumble crash land strand sink drown burn freeze rob hire fire quit join "
        "unite reunite separate share trade sell buy pay owe gamble bet host organize throw celebrate perform act "
        "direct "
        "film record photograph collect gather plant harvest dig bury unearth wash rise move stay start begin end "
        "finish "
        "stop continue keep hold drop pick choose vanish disappear appear switch swap exchange impersonate pretend "
        "disguise kidnap free release unlock accept reject pursue court propose kiss hug dare struggle suffer recover "
        "overcome prove defy rebel rise train tame cross-examine interview translate decode decipher knit sew cut "
        "carve "
        "shape forge brew sketch study practice practise attend skip graduate retire get go come put set let use "
        "encounter witness spot glimpse rediscover reclaim avenge outwit mourn grieve miss adore admire court woo "
        "seduce "
        "clone program reprogram hack invade colonize orbit launch smuggle deceive blackmail hitchhike camp ski surf "
        "tour"
    )
)
VERBS = frozenset(_VERBS)
THIRDS = {third_word(verb): verb for verb in _VERBS}
GERUNDS = {ing_word(verb): verb for verb in _VERBS}
PASTS = {
    "found": "find", "lost": "lose", "stole": "steal", "fell": "fall", "met": "meet", "became": "become",
    "built": "build", "went": "go", "saved": "save", "discovered": "discover", "inherited": "inherit",
    "married": "marry", "married-into": "marry", "loved": "love", "wanted": "want", "learned": "learn", "ran": "run",
    "won": "win", "saw": "see", "heard": "hear", "took": "take", "wrote": "write", "came": "come", "left": "leave",
    "received": "receive", "killed": "kill", "forgot": "forget", "sold": "sell", "bought": "buy", "hid": "hide",
    "vanished": "vanish", "disappeared": "disappear",
}  # fmt: skip

FINDING = _set("find discover receive inherit unearth uncover stumble spot notice rediscover win buy adopt")
MEETING = _set("meet befriend encounter love marry adopt")
LOSING = _set("lose search seek hunt look miss chase pursue")
EVENTS = _set(
    "wake fall crash land hear see witness arrive vanish disappear die remember realize stumble receive meet "
    "encounter appear glimpse turn become switch swap"
)
WISHING = _set("want hope long try need dream wish plan decide vow swear promise struggle dare attempt")
ADVERBS = _set(
    "secretly suddenly accidentally always finally unexpectedly desperately slowly never still only once also just "
    "quietly bravely reluctantly recently eventually mysteriously"
)
NOT_AGENTS = _set(
    "storm war time love flood plague virus secret letter message night day winter summer spring autumn death life "
    "truth world town city village island house ship train music song snow rain fire sea sun moon star light story "
    "murder crime party wedding accident earthquake famine event series group"
)
GROUP_NOUNS = _set("group band pair couple gang crew team family party class bunch")

GENRES: dict[str, str] = {
    "love": "love", "romance": "love", "romantic": "love", "lovers": "love", "wedding": "love", "marriage": "love",
    "mystery": "mystery", "detective": "mystery", "crime": "mystery", "murder": "mystery", "thriller": "mystery",
    "whodunit": "mystery", "secret": "mystery", "spy": "mystery", "heist": "mystery", "noir": "mystery",
    "horror": "mystery", "ghost": "mystery", "haunted": "mystery", "disappearance": "mystery", "missing": "mystery",
    "vanished": "mystery", "vanishes": "mystery", "disappears": "mystery", "detectives": "mystery",
    "quest": "quest", "adventure": "quest", "journey": "quest", "treasure": "quest", "expedition": "quest",
    "voyage": "quest", "fantasy": "quest", "dragon": "quest", "epic": "quest", "odyssey": "quest", "explorer": "quest",
    "pirate": "quest", "pirates": "quest", "map": "quest", "knight": "quest",
    "rival": "rivalry", "rivals": "rivalry", "rivalry": "rivalry", "contest": "rivalry", "competition": "rivalry",
    "versus": "rivalry", "feud": "rivalry", "race": "rivalry", "comedy": "rivalry", "funny": "rivalry",
    "satire": "rivalry", "revenge": "rivalry", "duel": "rivalry", "tournament": "rivalry", "compete": "rivalry",
    "tragedy": "loss", "drama": "loss", "grief": "loss", "death": "loss", "war": "loss", "farewell": "loss",
    "orphan": "loss", "widow": "loss", "widower": "loss", "memory": "loss", "memories": "loss", "loses": "loss",
    "forgotten": "loss", "exile": "loss", "goodbye": "loss", "lonely": "loss", "loneliness": "loss", "dying": "loss",
}  # fmt: skip
"""A word of the theme → the family of plots it asks for."""

STORY_NOUNS = (
    "story|tale|comedy|mystery|romance|movie|film|adventure|drama|tragedy|thriller|legend|fable|saga|fairytale|western"
    "|satire|musical|epic|parable|odyssey"
)


def is_person(word: str) -> bool:
    """Whether the (singular, lower-case) noun names somebody who can be the hero of a story."""
    if word in PEOPLE:
        return True
    if word in NOT_PEOPLE or len(word) < 5:
        return False
    return word.endswith(PEOPLE_ENDINGS) or (word.endswith(PEOPLE_SUFFIXES) and word not in VERBS)
