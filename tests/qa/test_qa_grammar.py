"""Deeds as sentences and questions."""

import pytest

from moviellm.qa import grammar


@pytest.mark.parametrize(
    ("who", "deed", "clause"),
    [
        ("Mara", "find a letter", "Mara finds a letter"),
        ("Mara", "have a key", "Mara has a key"),
        ("Mara", "be afraid of the sea", "Mara is afraid of the sea"),
        ("Mara", "go home", "Mara goes home"),
        ("Mara", "do her work", "Mara does her work"),
        ("Mara", "carry the lantern", "Mara carries the lantern"),
        ("Mara", "play the violin", "Mara plays the violin"),
        ("Mara", "watch the sea", "Mara watches the sea"),
        ("Mara", "push the door open", "Mara pushes the door open"),
        ("Mara", "miss the train", "Mara misses the train"),
        ("Mara", "fix the lamp", "Mara fixes the lamp"),
        ("Mara", "fly to the island", "Mara flies to the island"),
        ("Mara", "do not give up", "Mara does not give up"),
        ("Mara", "not give up", "Mara does not give up"),
        ("Mara", "never give up", "Mara never gives up"),
        ("Mara", "secretly read the letter", "Mara secretly reads the letter"),
        ("Mara", "must leave the island", "Mara must leave the island"),
        ("Mara", "cannot sleep", "Mara cannot sleep"),
        ("Mara", "have lost her way", "Mara has lost her way"),
        ("Mara", "have to leave", "Mara has to leave"),
        ("Mara", "find a bottle and open it", "Mara finds a bottle and opens it"),
        ("Mara", "find a bottle and a letter", "Mara finds a bottle and a letter"),
        ("Mara", "sing and dance", "Mara sings and dances"),
        ("Mara", "take the map, run to the harbor and hide", "Mara takes the map, runs to the harbor and hides"),
        ("Mara", "want to find Tom and bring him home", "Mara wants to find Tom and bring him home"),
        ("Mara", "go to the beach and find a map", "Mara goes to the beach and finds a map"),
        ("Mara", "say that ships sink and people die", "Mara says that ships sink and people die"),
        ("Mara", "find love and hope", "Mara finds love and hope"),
        ("Tom and Mara", "find a bottle and open it", "Tom and Mara find a bottle and open it"),
        ("Tom and Mara", "be afraid", "Tom and Mara are afraid"),
        ("The villagers", "carry the boat", "the villagers carry the boat"),
        ("the old boss", "shout", "the old boss shouts"),
        ("James", "wait", "James waits"),
        ("", "light the lamp", "somebody lights the lamp"),
        ("Mara", "finds a letter", "Mara finds a letter"),
        ("Mara", "to find a letter.", "Mara finds a letter"),
    ],
)
def test_a_deed_agrees_with_who_does_it(who, deed, clause):
    assert grammar.clause(who, deed) == clause


@pytest.mark.parametrize(
    ("who", "deed", "tail"),
    [
        ("Mara", "find a letter and read it", "does Mara find a letter and read it"),
        ("Mara", "be afraid", "is Mara afraid"),
        ("Mara", "do not give up", "does Mara not give up"),
        ("Mara", "not give up", "does Mara not give up"),
        ("Mara", "never give up", "does Mara never give up"),
        ("Mara", "must leave", "must Mara leave"),
        ("Mara", "have lost her way", "has Mara lost her way"),
        ("Mara", "have a key", "does Mara have a key"),
        ("Mara", "finds a letter", "does Mara find a letter"),
        ("Tom and Mara", "be late", "are Tom and Mara late"),
        ("The villagers", "sing", "do the villagers sing"),
        ("", "sing", "does somebody sing"),
    ],
)
def test_a_deed_becomes_the_tail_of_a_question(who, deed, tail):
    assert grammar.inverted(who, deed) == tail


@pytest.mark.parametrize(
    ("reason", "phrase"),
    [
        ("the storm has washed it ashore", "because the storm has washed it ashore"),
        ("The storm has washed it ashore.", "because the storm has washed it ashore"),
        ("because he is lost", "because he is lost"),
        ("to warn the ships", "in order to warn the ships"),
        ("so that nobody drowns", "so that nobody drowns"),
        ("Tom is ill", "because Tom is ill"),
        ("", ""),
    ],
)
def test_reasons_are_joined(reason, phrase):
    assert grammar.reason_phrase(reason) == phrase


@pytest.mark.parametrize(
    ("means", "phrase"),
    [("by rowing", "by rowing"), ("rowing", "by rowing"), ("with a rope", "with a rope"), ("By rowing.", "by rowing")],
)
def test_means_are_joined(means, phrase):
    assert grammar.means_phrase(means) == phrase


@pytest.mark.parametrize(
    ("place", "phrase"),
    [
        ("beach", "on the beach"),
        ("ship deck", "on the ship deck"),
        ("library", "in the library"),
        ("Lighthouse", "at the lighthouse"),
        ("stone bridge", "on the stone bridge"),
        ("herb garden", "in the herb garden"),
        ("the old mill", "at the old mill"),
        ("", ""),
    ],
)
def test_places_get_their_preposition(place, phrase):
    assert grammar.place_phrase(place) == phrase


def test_sentences_begin_large_and_end_once():
    assert grammar.sentence("mara waits") == "Mara waits."
    assert grammar.sentence("Who is it?") == "Who is it?"
    assert grammar.sentence('Mara says: "Go!"') == 'Mara says: "Go!"'
    assert grammar.sentence(" ") == ""


@pytest.mark.parametrize(
    ("clause", "whole"),
    [
        ("Mara waits", "Mara waits by night"),
        ("Mara waits, as on every day", "Mara waits, as on every day, by night"),
        ("Mara swims, runs and waits", "Mara swims, runs and waits by night"),
    ],
)
def test_insertions_end_with_a_comma(clause, whole):
    assert grammar.extended(clause, "by night") == whole
