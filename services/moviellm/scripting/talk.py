"""Exchanges of a dialogue: the listener's line and the doer's answer. Pure data.

Slots: {deed} base verb phrase, {reason}, {means}, {place}, {name} the one spoken to, {goal}. The asker's line addresses
the doer, the answer is the doer's.
ABOUT_PLAN is for what is still to be done, ABOUT_DEED for what has just happened. An exchange is used only
where the fact has the parts it names.
"""

ABOUT_PLAN = (
    ("{name}, what are you up to?", "I want to {deed}."),
    ("You look as if you had something in mind, {name}.", "I do. I am going to {deed}."),
    ("What now?", "Now I have to {deed}. I cannot put it off any longer."),
    ("Tell me what you are thinking.", "I am thinking that I should {deed}."),
    ("So you really want to {deed}?", "Yes. I have thought about it long enough."),
    ("You are going to {deed}, am I right?", "You know me too well."),
    ("Do you mean to {deed} here, of all places?", "Why not {place}? It is as good a spot as any."),
    ("Nobody has asked you to {deed}.", "That is true. I am asking myself to."),
)
ABOUT_DEED = (
    ("Did you just {deed}?", "I did. You have seen it yourself."),
    ("I saw you {deed}, {name}.", "Then you have seen everything."),
    ("I never thought that you would {deed}.", "Neither did I, until today."),
    ("So you did {deed}.", "Yes. And I would do it again."),
    ("Nobody expected you to {deed}.", "Least of all me."),
    ("You did not have to {deed}.", "Perhaps not. But it had to happen."),
    ("It is not like you to {deed}.", "Today nothing is as usual."),
    ("First you {deed}, and then you stand there in silence.", "I am as surprised as you are."),
    ("What happened to you, {name}?", "You saw it. I had to {deed}."),
    ("Will people say that I made you {deed}?", "Let them say what they like. It was my own doing."),
    ("Tell me that you did not {deed}.", "I cannot tell you that. I did."),
)
ABOUT_REASON = (
    ("But why?", "Because {reason}."),
    ("Why did it come to that?", "Listen: {reason}. That is why."),
    ("I do not understand the reason.", "It is simple. {Reason}."),
    ("There must be a reason.", "There is one: {reason}."),
    ("What is behind all this?", "You may laugh, but {reason}."),
    ("Give me one good reason.", "{Reason}. Is that not enough?"),
    ("You could have told me why.", "I am telling you now: {reason}."),
    ("Help me to understand it.", "Think about it: {reason}."),
    ("And what is the reason?", "The reason? {Reason}. Nothing else."),
    ("Is there something that you are not telling me?", "Only this: {reason}."),
    ("I keep asking myself why.", "Stop asking. {Reason}."),
)
ABOUT_MEANS = (
    ("And how?", "{Means}. I saw no other way."),
    ("How can that work?", "{Means}, step after step."),
    ("Tell me how.", "{Means}. It is easier than it sounds."),
    ("That sounds impossible.", "Not if one goes about it the right way: {means}."),
    ("Nobody has ever done it like that.", "Then I am the first: {means}."),
    ("What is the secret?", "There is no secret. {Means}, that is all."),
    ("I would not know where to begin.", "I do: {means}."),
    ("Is there any other way?", "I know only this one: {means}."),
    ("Show me how.", "Look, {means}. Like this."),
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
    ("Do you remember the first day?", "As if it were yesterday. I already wanted to {goal} then."),
    ("This is a strange place to talk.", "I like it {place}. One can think here."),
    ("Will I see you tomorrow?", "Tomorrow, and every day until I {goal}."),
    ("What if somebody is listening?", "Let them. They may know that I want to {goal}."),
    ("You never give up, do you?", "I gave up once. I will not do it again."),
    ("My hands are cold.", "Take mine. We must not stop here."),
    ("Shall we go on?", "In a moment. Let me look around {place} first."),
    ("What are you hoping for?", "To {goal}. Nothing more, and nothing less."),
    ("I had a bad dream last night.", "Then let us make the day a better one."),
    ("Who would have thought that we would end up {place}?", "Not I. But here we are."),
    ("Tell me that it will be all right.", "It will be all right. Not easy, but all right."),
    ("You are smiling, {name}.", "I was thinking of the day when all this is over."),
)
