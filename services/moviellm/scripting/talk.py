"""Exchanges of a dialogue: the listener's line and the doer's answer. Pure data.

Slots: {deed} base verb phrase, {reason}, {means}, {place}, {name} the one spoken to, {goal}. The asker's line addresses the
doer, the answer is the doer's. An exchange is used only where the fact has the parts it names.
"""

ABOUT_DEED = (
    ("{name}, what are you up to?", "I want to {deed}."),
    ("You look as if you had something in mind, {name}.", "I do. I am going to {deed}."),
    ("What now?", "Now I have to {deed}. I cannot put it off any longer."),
    ("Tell me what you are thinking.", "I am thinking that I should {deed}."),
    ("So you really want to {deed}?", "Yes. I have thought about it long enough."),
    ("You are going to {deed}, am I right?", "You know me too well."),
    ("Do you mean to {deed} here, of all places?", "Here {place} is as good a spot as any."),
    ("I never thought that you would {deed}.", "Neither did I, until today."),
    ("Nobody has asked you to {deed}.", "That is true. I am asking myself to."),
)
ABOUT_REASON = (
    ("But why?", "Because {reason}."),
    ("Why would you {deed}?", "Listen: {reason}. That is why."),
    ("I do not understand the reason.", "It is simple. {Reason}."),
    ("There must be a reason.", "There is one: {reason}."),
    ("And what for?", "You may laugh, but {reason}."),
    ("Give me one good reason.", "{Reason}. Is that not enough?"),
    ("You could have told me why.", "I am telling you now: {reason}."),
    ("What makes you so sure?", "Well, {reason}. I would bet on it."),
)
ABOUT_MEANS = (
    ("And how do you want to do it?", "{Means}. I see no other way."),
    ("How can that work?", "{Means}, step after step."),
    ("Have you thought about the how?", "Yes. {Means}."),
    ("That sounds impossible.", "Not if one goes about it the right way: {means}."),
)
ABOUT_GOAL = (
    ("Do you still want to {goal}?", "More than ever."),
    ("Is it worth all this trouble?", "If it helps me to {goal}, yes."),
    ("What will you do if it goes wrong?", "Then I try again. I have promised myself to {goal}."),
    ("You are tired, {name}.", "I will rest when it is done."),
    ("I am worried about you, {name}.", "Worry a little less and help me a little more."),
    ("How did it come to this?", "I only wanted to {goal}. The rest just happened."),
    ("One day we will laugh about it.", "I hope that we will do it together."),
    ("Look around you, {name}. What do you see?", "I see where we are: {place}, in the middle of our story."),
    ("What would others say?", "Others do not have to {goal}. I do."),
    ("Are you afraid?", "Yes. But fear is not a reason to stop."),
    ("You have changed, {name}.", "Perhaps I have only begun to be myself."),
    ("Promise me one thing: do not do it alone.", "I promise. You are with me, after all."),
    ("I will stay with you.", "Then nothing can happen to me."),
    ("Say something, {name}.", "I am still looking for the right words."),
)
