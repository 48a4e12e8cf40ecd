"""What the families of plots add to the common events: motives, obstacles, goals, changes and events of their own."""

from typing import NamedTuple

from moviellm.scripting.plot_events import Event


class Family(NamedTuple):
    """A kind of story. Deeds and clauses are written as in plot_events.

    `goals` are verb phrases, `found` are ways in which the thing of the story turns up, `obstacles` what stands in the
    way of the whole story, `truths` what comes to light at the end, `changes` what the hero learns. `other` and `third` are parts for people that the theme does
    not name; `styles` are the looks that suit the story.
    """

    goals: tuple[str, ...]
    motives: tuple[str, ...]
    found: tuple[str, ...]
    obstacles: tuple[str, ...]
    truths: tuple[str, ...]
    changes: tuple[str, ...]
    heroes: tuple[str, ...]
    others: tuple[str, ...]
    thirds: tuple[str, ...]
    things: tuple[str, ...]
    styles: tuple[str, ...]
    places: tuple[str, ...]
    attempts: tuple[Event, ...]
    setbacks: tuple[Event, ...]
    crises: tuple[Event, ...]
    climaxes: tuple[Event, ...]


_ANY_MOTIVES = (
    "{h.he} has been told all {h.his} life to want less",
    "a promise from long ago has never been kept",
    "nobody else cares enough to try",
)
_ANY_CHANGES = (
    "asking for help is not a weakness",
    "the way there was worth more than the arrival",
    "being brave only means being afraid and going on",
    "a home is made of people and not of walls",
)

LOVE = Family(
    goals=("stand by {o}'s side in front of everybody", "win {o}'s heart", "build a life with {o}"),
    motives=("one look has shown {h} what life could be", "{h.he} has been alone for too many winters", *_ANY_MOTIVES[:1]),
    found=("meet {o} by chance", "run into {o} in the middle of the crowd", "share an umbrella with {o}"),
    obstacles=("o: face a marriage to somebody else; because two families have made a contract",
               "o: hide every feeling; because the world of {h} and the world of {o} are not supposed to touch",
               "s: forbid them to meet; because {s} wants to protect the good name of the family",
               "o: prepare to leave before the season ends; because duty calls {o.him} away"),
    truths=(
        "{o} has loved {h} since the very first day",
        "{o} was only waiting for {h} to speak first",
        "nobody has ever had the right to come between them",
    ),
    changes=("love asks for courage and not for permission", "two worlds can meet when two people walk toward each other",
             *_ANY_CHANGES[2:]),
    heroes=("gardener", "music teacher", "young painter", "bookseller"),
    others=("traveler", "violinist", "doctor", "neighbor", "sailor"),
    thirds=("guardian", "jealous friend", "matchmaker", "strict aunt"),
    things=("an unsigned love letter", "a pressed flower", "a small golden key", "a red umbrella"),
    styles=("pastel", "impressionist", "watercolor", "cinematic", "vintage"),
    places=("garden", "ballroom", "cafe", "beach", "train station", "library"),
    attempts=(
        Event("A Secret Letter", "h: write {o} a letter; by hiding it inside {t}",
              "o: not dare to read it; because somebody might be watching",
              "o: answer with a single flower; because the letter has said what {o} feels as well",
              "a flower can mean everything or nothing"),
        Event("One Dance", "h: ask {o} for a dance; by crossing the whole floor alone",
              "o: look around in fear; because everybody has stopped talking",
              "o: dance with {h} until the music ends; because for once {o} does not care what people say",
              "everybody has seen them dance"),
        Event("A Walk at Dusk", "h: meet {o} in secret; by leaving {ap} as a sign",
              "o: come almost too late; because {o} had to slip away unseen",
              "h: hold {o}'s hand for the first time; because words would only spoil the moment",
              "they both know that it is no longer a game"),
    ),
    setbacks=(
        Event("The Rumor", "h: act as if nothing had happened; by keeping away from {o}",
              "o: hear a false rumor about {h}; because envy has a loud voice",
              "o: send back {t}; because {o} believes the rumor",
              "{o} believes a lie about {h}"),
        Event("The Announcement", "h: speak with {o}'s family; by wearing {h.his} best clothes",
              "o: stand by in silence; because the family has already decided",
              "h: hear that {o} will marry somebody else; because the family has announced it to everybody",
              "there are only a few days left"),
    ),
    crises=(
        Event("The Departure", "h: reach {o} in time; by running the whole way",
              "o: leave without looking back; because a look would break {o.his} resolve",
              "h: find {t} where {o} stood; because {o} has left it as a farewell",
              "a farewell like this is not the farewell of somebody who has stopped loving"),
    ),
    climaxes=(
        Event("Before Everybody", "h: declare {h.his} love in public; by telling everybody what {o} means to {h.him}",
              "o: stand between two worlds; because one word will decide both lives",
              "h: {G}; because {o} no longer asks for permission",
              "nobody can come between them any more"),
    ),
)  # fmt: skip

MYSTERY = Family(
    goals=("find out where {t} comes from", "solve the riddle of {t}", "learn the truth about {t}"),
    motives=("{h.he} cannot leave a question without an answer", "somebody seems to have meant {t} for {h.him} alone",
             *_ANY_MOTIVES[1:2]),
    found=("find {at}", "come upon {at}", "receive {at}"),
    obstacles=("o: know more than {o.he} says; because an oath of silence binds {o.him}",
               "s: remove every trace of {t}; because {s} would be ruined by the truth",
               "o: ask {h} to let the matter rest; because the last person who asked questions disappeared",
               "s: spread false clues; because {s} has hidden something for years"),
    truths=(
        "{o} once left {t} behind for a friend who never came back",
        "{t} was meant for {h} from the very beginning",
        "{t} tells of a brave rescue that nobody was ever thanked for",
    ),
    changes=("the truth heals more than it hurts", "a question can bring people together", *_ANY_CHANGES[:2]),
    heroes=("night watchman", "retired detective", "curious librarian", "young journalist", "clockmaker"),
    others=("quiet stranger", "sailor", "antique dealer", "doctor", "photographer"),
    thirds=("mayor", "harbor master", "wealthy collector", "inspector"),
    things=("a letter without a sender", "a locked box", "a torn map", "a key without a door"),
    styles=("noir", "gothic", "vintage", "sketch", "cinematic"),
    places=("city street", "library", "train station", "harbor", "bedroom", "lighthouse"),
    attempts=(
        Event("The First Clue", "h: compare {t} with {ap}; by laying them side by side",
              "o: deny any likeness; because {o} recognizes the handwriting",
              "h: find the same sign on both; by tracing the lines with a finger",
              "the sign belongs to somebody who lives close by"),
        Event("Following the Trail", "h: follow {o} through the dark; by carrying no lantern",
              "o: notice the steps behind; because the street is too quiet",
              "h: see {o} hide {ap}; by staying behind a corner",
              "{o} is hiding something"),
        Event("Questions", "h: question everybody who has seen {t}; by writing every answer into a book",
              "o: give three different answers; because the truth would put {o} in danger",
              "h: catch the lie; by reading the answers backward",
              "one of the answers cannot be true"),
    ),
    setbacks=(
        Event("The Missing Page", "h: look up {t} in an old book; by going through it page by page",
              "o: come upon a torn edge; because somebody has cut out the page",
              "h: run out of clues; because the page was the only record",
              "somebody does not want {t} to be understood"),
        Event("Watched", "h: prove that somebody is following; by stopping suddenly",
              "o: see a shadow at the window; because they have come too close to the truth",
              "h: lose {t} to a thief; because {h.he} has turned {h.his} back for one moment",
              "{t} is gone, and only a thief who fears it would take it"),
    ),
    crises=(
        Event("The Trap", "h: set a trap; by letting everybody know where {t} lies",
              "o: walk into the trap; because {o} wanted to protect {h}",
              "h: lose all trust in {o}; because the trap has caught the wrong person",
              "if {o} is innocent, somebody else has been lying"),
    ),
    climaxes=(
        Event("Everything Explained", "h: call everybody together; by placing {t} in the middle",
              "o: beg {h} to stop; because the truth will change the whole place",
              "h: {G}; because every clue fits at last",
              "there is no secret left to be afraid of"),
    ),
)  # fmt: skip

QUEST = Family(
    goals=("bring {t} to the place where it belongs", "reach the end of the old map", "find the place that {t} points to"),
    motives=("{h.he} is the last one who remembers the old stories", "the people at home have lost all hope", *_ANY_MOTIVES),
    found=("find {at}", "inherit {at}", "take charge of {at}"),
    obstacles=("s: want to get there first; because {s} believes that {t} can make a person rich",
               "o: doubt every step; because {o} has failed on this way before",
               "o: fear the unknown; because nobody has ever come back to tell of it",
               "s: close every way; because {s} has sworn to stop {h}"),
    truths=(
        "the end of the road is exactly where an old song said it would be",
        "{o} was born in the very place they were looking for",
        "the greatest danger on the way was giving up",
    ),
    changes=("the way there was worth more than the arrival", "nobody is too small for a great task", *_ANY_CHANGES[2:]),
    heroes=("young mapmaker", "ship's cook", "shepherd", "retired captain", "stable hand"),
    others=("stubborn guide", "runaway musician", "wandering doctor", "old sailor"),
    thirds=("treasure hunter", "proud captain", "banished knight", "smuggler"),
    things=("an unfinished map", "a lantern that never goes out", "a broken crown", "an old sword"),
    styles=("cinematic", "fairytale", "woodcut", "comic", "watercolor"),
    places=("ship deck", "mountain", "desert", "forest", "harbor", "castle"),
    attempts=(
        Event("Into the Unknown", "h: leave home with {o}; by taking nothing but {ap}",
              "o: look back again and again; because {o} has left somebody behind",
              "h: take the first step off the map; because there is no sense in waiting",
              "they are farther from home than ever before"),
        Event("The Riddle at the Gate", "h: answer a riddle; by thinking aloud",
              "o: guess wrong twice; because the riddle hides its meaning in plain words",
              "h: speak the right answer; because it was in an old song from home",
              "the gate that nobody could open stands open"),
        Event("A Friend on the Road", "h: share the last bread with a wanderer; by sitting down in the dust",
              "o: grumble about it; because they have little enough themselves",
              "h: learn about a secret path; because the wanderer repays kindness",
              "there is a path that is not on any map"),
    ),
    setbacks=(
        Event("The Broken Bridge", "h: cross to the other side; by testing every step",
              "o: slip; because the wood is rotten",
              "h: lose {p} in the depths; because {o}'s hand was more important",
              "they must go on without {p}"),
        Event("Lost", "h: find the way by the stars; by looking up until the neck hurts",
              "o: insist on another way; because {o} no longer trusts the map",
              "h: walk in a circle; because clouds have hidden the stars",
              "they are lost and the food is running low"),
    ),
    crises=(
        Event("The Last Ascent", "h: climb the last and steepest part; by leaving everything heavy behind",
              "o: collapse; because {o} has given all the water to {h}",
              "h: carry {o} instead of {t}; because they set out together",
              "{h} has shown that {h.he} is worthy of the end of the road"),
    ),
    climaxes=(
        Event("The End of the Road", "h: stand before the last gate; by holding {t} high",
              "o: ask whether it was all worth it; because the place looks so small",
              "h: {G}; because {h.he} has not gone the way alone",
              "the old stories have a new ending"),
    ),
)  # fmt: skip

RIVALRY = Family(
    goals=("win the great contest against {o}", "prove to everybody who is the better one", "beat {o} just once"),
    motives=("{o} has won every year so far", "one old insult has never been forgotten", *_ANY_MOTIVES[:2]),
    found=("hear of a great contest", "accept a challenge from {o}", "bump into {o} on the worst possible day"),
    obstacles=("o: start with a great lead; because {o} has practiced in secret for months",
               "o: play one trick after another; because {o} cannot bear to lose",
               "s: change the rules; because {s} enjoys a good fight",
               "o: buy up everything that {h} needs; because {o} wants to win at any price"),
    truths=(
        "{o} has admired {h} from the start",
        "both of them once learned from the same teacher",
        "the crowd has never cared who is the better one",
    ),
    changes=("a good rival is half a friend", "winning tastes of nothing when nobody shares it", *_ANY_CHANGES[:1]),
    heroes=("village cook", "street musician", "inventor", "kite maker"),
    others=("famous champion", "rich neighbor", "former classmate", "boastful newcomer"),
    thirds=("judge", "nosy reporter", "innkeeper", "referee"),
    things=("a secret recipe", "a golden cup", "a lucky hat", "an old trophy"),
    styles=("comic", "pastel", "vintage", "impressionist", "sketch"),
    places=("market", "kitchen", "village street", "cafe", "city street", "garden"),
    attempts=(
        Event("The Practice Round", "h: practice harder than ever; by getting up before everybody else",
              "o: spoil the practice; because {o} has turned up with a crowd of admirers",
              "h: discover a trick of {h.his} own; by making a mistake at the right moment",
              "{h} has a trick now that {o} does not know"),
        Event("A Spy in the House", "h: find out what {o} is planning; by looking through the window",
              "o: spy on {h} at the same moment; because rivals think alike",
              "h: bump into {o}; because both have chosen the same hiding place",
              "they have both been caught spying"),
        Event("Forced to Share", "h: work side by side with {o}; because there is only one table left; by drawing a line",
              "o: cross the line on purpose; because {o} needs {p} from the other side",
              "h: laugh together with {o}; because both have reached for {p} at once",
              "it is hard to hate somebody who makes you laugh"),
    ),
    setbacks=(
        Event("The Dirty Trick", "h: win the first round; by staying fair",
              "o: exchange {p} for a useless one; because {o} is afraid of losing",
              "h: fail in front of everybody; because {p} falls to pieces",
              "everybody believes that {h} is the weaker one"),
        Event("A Sabotage Gone Wrong", "h: pay {o} back; by hiding {t}",
              "o: get the blame for the mess; because the judges have seen only the end of it",
              "h: feel ashamed; because the revenge has hit too hard",
              "{h} owes {o} an apology"),
    ),
    crises=(
        Event("One Step Too Far", "h: win at any price; by forgetting every rule",
              "o: get hurt; because the quarrel has gone too far",
              "h: stop in the middle of the contest; because {o} needs help",
              "a prize that hurts somebody is worth nothing"),
    ),
    climaxes=(
        Event("The Final", "h: step up for the final; by shaking {o}'s hand first",
              "o: match {h} point for point; because both have learned everything from each other",
              "h: {G}; because {h.he} plays for the joy of it at last",
              "the rivals have become friends"),
    ),
)  # fmt: skip

LOSS = Family(
    goals=("get {t} back", "make peace with the past", "understand what {t} was for"),
    motives=("{t} is all that is left of better days", "there was never a chance to say goodbye", *_ANY_MOTIVES[1:]),
    found=("lose {t}", "wake up without {t}", "come home to an empty room"),
    obstacles=("o: keep the past locked away; because every memory hurts",
               "s: want to sell everything that reminds of the past; because {s} needs the money",
               "o: believe that it is too late; because so many years have gone by",
               "o: blame {h} for everything; because grief needs somebody to blame"),
    truths=(
        "{o} has carried the same grief all along",
        "nobody was to blame for what happened",
        "a last greeting was waiting in {t} all the time",
    ),
    changes=("letting go is a way of holding on", "grief becomes lighter when it is shared", *_ANY_CHANGES[2:]),
    heroes=("widowed teacher", "retired sailor", "young nurse", "violin maker"),
    others=("estranged friend", "old neighbor", "wandering musician", "former colleague"),
    thirds=("notary", "distant cousin", "new tenant", "collector"),
    things=("a music box", "a bundle of letters", "a faded photograph", "an old diary"),
    styles=("watercolor", "vintage", "impressionist", "sketch", "noir"),
    places=("bedroom", "beach", "village street", "train station", "garden", "library"),
    attempts=(
        Event("The Empty Chair", "h: set the table for two; by taking out the good cups",
              "o: turn away at the door; because the second cup brings everything back",
              "o: sit down after all; because nobody should drink tea alone",
              "somebody has begun to speak about the past"),
        Event("Old Letters", "h: read the old letters; by starting with the last one",
              "o: tear one of them; because it tells of {o.his} own fault",
              "h: put the pieces together; by matching word with word",
              "a torn letter says more than a whole one"),
        Event("The Song", "h: play the old song again; by remembering it note by note",
              "o: leave the room in tears; because it was their song once",
              "o: sing the last line; because a song cannot be left unfinished",
              "the song has opened a door between them"),
    ),
    setbacks=(
        Event("The Sale", "h: stop the sale; by standing in the doorway",
              "o: sign the paper; because there are debts to pay",
              "h: watch {p} being carried away; because the law is the law",
              "a stranger owns a piece of the past now"),
        Event("Too Many Memories", "h: enter the closed room; by turning the key slowly",
              "o: break down; because everything is just as it was left",
              "h: close the door again; because the time has not come yet",
              "some rooms cannot be entered alone"),
    ),
    crises=(
        Event("The Anniversary", "h: get through the hardest day of the year; by staying away from everybody",
              "o: search for {h} everywhere; because {o} knows what day it is",
              "h: weep at last; because {o} has come and says nothing",
              "the tears have washed something away"),
    ),
    climaxes=(
        Event("The Farewell", "h: say the farewell that was never said; by speaking into the wind",
              "o: stand close by; because nobody should say such words alone",
              "h: {G}; because {h.he} no longer looks away",
              "the past has become a friend"),
    ),
)  # fmt: skip

FAMILIES: dict[str, Family] = {"love": LOVE, "mystery": MYSTERY, "quest": QUEST, "rivalry": RIVALRY, "loss": LOSS}
