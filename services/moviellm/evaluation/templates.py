"""Questions that can be asked of any movie; they name no title, so that nobody answers from having read about it.

As in the paper, the first overview and the first temporal question are the same for every movie, so that movies can be
compared; plot questions differ.
"""

from collections.abc import Mapping

from moviellm.movie import QuestionKind

TEMPLATES: Mapping[QuestionKind, tuple[str, ...]] = {
    QuestionKind.OVERVIEW: (
        "What is this movie about? Give an overview in a few sentences.",
        "What is the subject of this movie, and how does it look and feel?",
        "Who are the main characters of this movie, and what binds or divides them?",
        "What is the central conflict of this movie, and between whom?",
        "Summarize this movie for somebody who has not seen it.",
    ),
    QuestionKind.PLOT: (
        "What does the main character want, and why?",
        "What stands in the main character's way, and how is it overcome?",
        "Why does the main conflict break out?",
        "How does the movie end, and why does it end so?",
        "Where does the decisive scene take place, and what happens there?",
        "How does the relationship between the two most important characters change, and why?",
        "Which decision of the main character has the gravest consequences, and what are they?",
        "What does the main character learn that changes everything, and how?",
    ),
    QuestionKind.TEMPORAL: (
        "What happens in this movie, event by event, in the order in which it happens?",
        "What happens right before the climax of this movie, and what right after it?",
        "What is the first important event of this movie, and what is the last?",
        "What happens in the first third of this movie, what in the second, and what in the last?",
        "Which events lead to the ending, in the order in which they happen?",
    ),
}
