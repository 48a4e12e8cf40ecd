"""The events that any story may be made of, by the part they play. Pure data.

A deed is written `who: verb phrase; because clause; by …ing` with who = h (hero), o (the other), s (the third). Slots:
{h} {o} {s} with .he .him .his .He; {t} the thing of the story; {p}/{ap} the chapter's prop with the/a; {g} the hero's
goal as a verb phrase. Pronouns always mean the deed's own `who`; in an upshot they mean the hero.
"""

from typing import NamedTuple


class Event(NamedTuple):
    """A chapter's event: what is tried, what stands in the way, how it turns, and what follows from it.

    `upshot` is a clause; it is the reason for what the hero does in the next chapter.
    """

    title: str
    aim: str
    but: str
    turn: str
    upshot: str


SETUP = (
    Event("An Ordinary Day", "h: go about the day's work; by doing everything as always",
          "o: say out loud what {h} never dares to say; because {o} has seen {h} stare at the horizon too often",
          "h: admit the wish to {g}; because {o} is the first person who has ever asked",
          "the wish will not go back to sleep now that it has been spoken"),
    Event("Before Everything Changed", "h: keep the promise to lead a quiet life; by staying away from every adventure",
          "o: bring news that disturbs the quiet; because the whole place is talking about nothing else",
          "h: lie awake over the news; because it is exactly what {h.he} has been waiting for",
          "the quiet life suddenly feels too small"),
    Event("What Was Missing", "h: show {o} around; by telling the story of every corner",
          "o: ask the one question that hurts; because {o} cannot see what keeps {h} here",
          "h: confess that something is missing; by pointing into the distance",
          "a thing that has been named cannot be forgotten"),
    Event("An Old Habit", "h: wait for a sign, as on every other day; by watching whoever comes and goes",
          "o: laugh at the waiting; because nothing has happened here for years",
          "h: make a bet with {o}; because {h.he} is sure that something will happen",
          "a bet has been made and neither of them wants to lose it"),
)  # fmt: skip

ATTEMPT = (
    Event("The First Step", "h: ask {o} for help; by telling the whole story without leaving anything out",
          "o: hesitate to answer; because helping {h} could cost {o.him} everything",
          "o: agree to help; because {h} has trusted {o.him} with the truth",
          "two people can try what one person cannot"),
    Event("A Plan on Paper",
          "h: draw up a plan; because good will alone is not enough; by spreading a map and every note on the floor",
          "o: find the mistake in the plan; because it needs a courage that {h} does not have yet",
          "h: begin with the smallest part of the plan; by practicing until it is dark",
          "a plan is worth nothing until somebody carries it out"),
    Event("The Favor", "h: do a stranger a favor; because nobody gives anything away; by carrying a heavy load",
          "o: lose patience; because the favor takes far longer than promised",
          "h: receive {ap} as thanks; because the stranger has noticed how hard {h.he} works",
          "{p} opens a way that was closed before"),
    Event("The Long Way Round", "h: take the long way round; by walking until {h.his} feet hurt",
          "o: beg {h} to turn back; because nobody has come this way in years",
          "h: come upon {ap} that somebody has left behind; by following old footprints",
          "{p} proves that somebody has been here before"),
    Event("A Test of Nerves", "h: step forward in front of everybody; by speaking louder than {h.his} own fear",
          "o: doubt that {h} can do it; because one small mistake would be enough to ruin everything",
          "h: pass the test; by thinking of the reason for it all",
          "people now look at {h} with new respect"),
    Event("The Bargain", "h: strike a bargain; by offering {ap} in exchange",
          "o: warn {h} about the price; because such a bargain cannot be undone",
          "h: get what was promised; because {h.he} has kept {h.his} word to the letter",
          "the bargain has to be paid for sooner or later"),
    Event("Listening at Last", "h: find out what {o} really thinks; by asking and then keeping silent",
          "o: speak of an old wound; because nobody has ever listened to the end",
          "o: give {h} {ap}; because it was meant for somebody who listens",
          "{p} holds the missing piece of the story"),
    Event("Through the Night",
          "h: stay awake the whole night; because the worst may come in the dark; by pacing up and down",
          "o: fall ill at the worst moment; because the cold has gone into {o.his} bones",
          "h: take care of {o} until morning; because nothing is worth losing a friend",
          "one night of care has brought them closer than all the plans"),
    Event("The Rehearsal", "h: try everything out in secret; by pretending that {o} is a stranger",
          "o: play the stranger far too well; because {o} wants {h} to be ready for the worst",
          "h: find the right words at last; by laughing at {h.his} own mistakes",
          "there is no more excuse for waiting"),
)  # fmt: skip

SETBACK = (
    Event("The Closed Road", "h: set out at once; by packing only {ap}",
          "o: bring word that the road is closed; because a storm has torn it away",
          "h: turn back with empty hands; because there is no other road",
          "the straight way is gone and only a crooked one is left"),
    Event("A Bitter Quarrel", "h: press on without a rest; by refusing to listen to {o}",
          "o: quarrel with {h}; because {o} feels used and forgotten",
          "h: go on alone; because pride is stronger than regret on this day",
          "{h} has nobody to talk to but {h.his} own shadow"),
    Event("Stolen Time", "h: wait for the right moment; by counting the hours",
          "o: come too late; because a false message has sent {o.him} the wrong way",
          "h: miss the only chance; because the moment has passed",
          "the next chance will be harder to win"),
    Event("What Was Lost", "h: look after {p}; by never letting it out of sight",
          "o: lose {p} by accident; because {o.his} hands are shaking",
          "h: forgive {o}; because the loss hurts {o} even more",
          "without {p} they have to begin again"),
    Event("Laughter in the Crowd", "h: tell everybody about the plan to {g}; by standing up in the crowd",
          "o: fail to stop the laughter; because the crowd believes nothing that it cannot touch",
          "h: walk away in shame; because even old friends are laughing",
          "{h} has to prove it to the crowd, or give up"),
    Event("A Door Slams", "h: ask once more to be let in; by knocking until {h.his} hands ache",
          "o: refuse to take sides; because {o.his} own place is in danger",
          "h: sit down on the ground in despair; because every door is shut now",
          "help will not come from where {h} has been looking for it"),
    Event("The Wrong Lead", "h: follow a promising lead; by keeping to the shadows",
          "o: discover that the lead is false; because the signs have been turned around",
          "h: admit the mistake; because going on would only make it worse",
          "everything that seemed certain must be looked at again"),
    Event("Empty Pockets", "h: spend the last coin; because the way is longer than {h.he} thought; by buying {ap}",
          "o: demand to go home; because there is nothing left to eat",
          "h: trade {h.his} own coat for bread; because {o} is hungry",
          "they have nothing left to lose"),
)  # fmt: skip

DISCOVERY = (
    Event("The Hidden Meaning", "h: look at {t} once more; by holding it up to the light",
          "o: try to put {t} away for good; because it has brought nothing but trouble",
          "h: notice a mark that everybody has missed; because the light falls on it from the side",
          "the mark on {t} points to what {h} has overlooked"),
    Event("An Old Picture", "h: search through forgotten things; by opening one box after another",
          "o: try to hurry {h} along; because {o} is afraid of what may be found",
          "h: find {ap} with {o}'s name on it; by lifting the last lid",
          "{o} has been part of the story from the very beginning"),
    Event("The Confession", "h: make {o} tell the truth; by laying {p} on the table",
          "o: remain silent for a long time; because the truth will hurt them both",
          "o: confess everything about {t}; because the silence has become too heavy",
          "the truth about {t} is out"),
    Event("A Second Look", "h: go back to where it all began; by following {h.his} own footprints",
          "o: see nothing but dust; because {o} no longer believes in {t}",
          "h: understand where the mistake was; by standing in the very same spot",
          "the answer has been close by the whole time"),
    Event("The Witness", "h: speak with an old witness; by sharing a cup of tea",
          "o: mistrust the witness; because the story sounds too good to be true",
          "h: receive {ap} as a proof; because the witness wants to be rid of it",
          "there is a proof at last"),
)  # fmt: skip

CRISIS = (
    Event("The Darkest Hour", "h: risk everything on one throw; by going where nobody dares to go",
          "o: fall into danger; because {o} has followed {h} without a word",
          "h: give up {t} to save {o}; because no wish is worth a life",
          "{h} knows now what matters most"),
    Event("All Seems Lost", "h: keep the last hope alive; by holding on to {t}",
          "o: say goodbye; because {o} cannot watch {h} suffer any longer",
          "h: stay behind alone; because {h.he} has not found the words to make {o} stay",
          "only the truth can still bring {o} back"),
    Event("The Choice", "h: choose between {t} and {o}; by thinking until dawn",
          "o: demand an answer; because there is no more time",
          "h: choose {o}; because a thing can be replaced and a friend cannot",
          "the choice has set {h} free"),
    Event("The Storm Breaks",
          "h: hold out through the storm; because there is no shelter far and wide; by staying on {h.his} feet",
          "o: call for help; because the storm has cut {o.him} off from everybody",
          "h: pull {o} to safety; by forgetting {h.his} own fear",
          "nobody can call {h} a coward any more"),
)  # fmt: skip

CLIMAX = (
    Event("The Last Attempt", "h: gather the courage for one last attempt; by taking {o} by the hand",
          "o: tremble at what may happen; because this time there is no way back",
          "h: {G}; by doing together what could not be done alone",
          "what was a wish on the first day has come true"),
    Event("Face to Face", "h: face what stands in the way; by speaking the plain truth",
          "o: wait without a word; because everything depends on what {h} says now",
          "h: {G}; because the truth has disarmed everybody",
          "there is nothing left to be afraid of"),
    Event("The Day of Reckoning", "h: return with {t}; by walking in through the front door",
          "o: try to hold {h} back; because too many people have been disappointed before",
          "h: {G}; because {h.he} has learned from every defeat on the way",
          "all the trouble has been worth it"),
)  # fmt: skip

ENDING = (
    Event("After the Storm",
          "h: put everything in order; because every debt must be paid; by thanking everybody who has helped",
          "o: say that it is time to part; because the adventure is over",
          "h: ask {o} to stay; because a story like this wants to be told by two",
          "a new day begins for both of them"),
    Event("A New Beginning", "h: give {t} a place of honor; by putting it where everybody can see it",
          "o: wonder what they should do now; because the great task is done",
          "h: laugh about how it all began; by telling the story from the start",
          "the end of one story is the beginning of another"),
    Event("The Way Home", "h: go home; by taking the same road as on the first day",
          "o: stop at the last bend; because home looks smaller than before",
          "h: see the old place with new eyes; because {h.he} has come back as somebody else",
          "nothing has changed at home except the one who returns"),
)  # fmt: skip
