"""Word lists of the grammar."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MODALS = _words("""
    can cannot could may might must shall should will would
""")
"""Verbs that never change and that ask by themselves: "must Mara leave"."""

ADVERBS = _words("""
    never always often still also almost just soon then first again together no longer even
""")
"""Words that may stand before the verb of a deed, besides those in -ly."""

VERBS_IN_LY = _words("""
    fly rely apply supply reply multiply comply imply ally rally bully tally
""")
"""Verbs that look like adverbs."""

DETERMINERS = _words("""
    a an the this that these those his her its their my your our some any every each all both no another one two
    three him them it me us you himself herself itself themselves
""")
"""What can begin a noun phrase."""

PREPOSITIONS = _words("""
    to for with at in on into onto from of off out up down over under through across away back around along past
    about after behind beside toward towards home
""")
"""What can begin a place or a direction."""

PARTICIPLES = _words("""
    been become begun broken brought built bought caught chosen come done drawn driven eaten fallen felt fought
    found forgotten forgiven given gone grown had heard held hidden hit kept known laid led left lost made met
    paid put read run said seen sent set shown slept sold spoken stolen sworn taken taught thrown told thought
    understood woken won worn written
""")
"""Irregular participles: after "have" they make a perfect."""

VERBS = _words("""
    accept admit agree answer apologize approach argue arrive ask attack bake beat become beg begin believe
    betray blame blow board borrow break bring build burn bury buy call carry catch chase cheer choose clean
    clear climb close collect come comfort compare complain confess confront cook count cover crawl cross cry
    cut dance decide defeat defend defy demand deny destroy die dig disappear discover do draw dream dress drink
    drive drop earn eat embrace enter escape examine explain explore face fail fall feel fetch fight fill find
    finish fix flee fly follow forbid forget forgive free gather get give go greet grow guard guess guide hand
    hear help hide hold hope hug hunt hurry hurt ignore invite join jump keep kiss kneel knock know laugh lead
    leap learn leave lend let lie lift light listen live lock long look lose love make march marry meet mend
    miss move need notice offer open order overhear paint pay persuade pick plan plant play point pray prepare
    pretend promise protect prove pull push put raise reach read realize rebuild receive refuse remember repair
    rescue rest return reveal ride ring rise run rush sail save say search see sell send serve share shelter
    shout show sign sing sink sit sleep smile speak spend stand start stay steal step stop study surrender swear
    swim take talk teach tell test thank think threaten throw tie touch trade travel trick trust try turn
    understand unlock visit vow wait wake walk want warn wash watch wave wear welcome whisper win wish work
    worry write
""")
"""Verbs of stories in base form, to find the later verbs of a deed."""

VERBS_AND_NOUNS = _words("""
    answer attack blame call care catch cheer cook cover cry dance dream dress drink drive fall fight free guard
    guide hand help hope hunt hug kiss laugh lead lie light look love move need order paint plan plant play
    point promise rescue rest return ride ring run sail search share shelter show sign sleep smile step stop
    study talk test touch trade travel trick trust turn visit wait walk wash watch wave welcome whisper wish
    work worry
""")
"""Those verbs that are nouns as well: "a song and dance"."""

PLURALS = _words("""
    people children men women police crew guests they parents
""")
"""Nouns in the plural without an -s."""

ON_PLACES = _words("""
    bridge deck hill hilltop island pier road roof rooftop shore street terrace balcony beach mountain train
    ship boat coast cliff
""")
"""Places on which people are; at all others they are "at"."""

IN_PLACES = _words("""
    alley attic basement bathroom cave cellar chapel church corridor courtyard dungeon field forest garden hall
    hallway hospital house jungle kitchen laboratory lab library meadow mine office palace park prison room
    school square store studio swamp temple tent tunnel valley village wood woods workshop bedroom ballroom
    desert town city cabin cottage hut
""")
"""Places in which people are; at all others they are "at"."""

STATES = _words("""
    be believe dream fear feel hate have hope know like live long love need own possess remember seem trust
    understand want wish
""")
"""Verbs that say how things are; they have no moment in time."""

DESIRES = _words("""
    want wish hope long need dream seek yearn desire
""")
"""What somebody does who does not have it yet."""

LESSONS = _words("""
    learn realize understand
""")
"""What somebody does who knows more afterwards."""
