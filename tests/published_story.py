"""A synthetic story in the authors' published layout, with the defects that such stories have."""

import json

CLARA = "a woman looks like Anna Moonlight, long red hair, in a green dress"
EDMUND = "a man looks like Peter Star, short black hair, in a blue suit"

PLACES = ("harbor", "grand hall", "market", "library", "garden")
DOINGS = (
    "is standing with a calm face",
    "is holding a letter with a surprised face",
    "is walking with a sad face",
    "is sitting with a happy face",
    "is looking into the distance with a worried face",
)


def frame(number: int) -> str:
    """One frame as published: prefix, substituted appearance, sometimes a defect."""
    place, doing = PLACES[(number // 11) % len(PLACES)], DOINGS[(number * 7 + number // 5) % len(DOINGS)]
    who = (CLARA, EDMUND)[number % 2]
    if number % 12 == 5:
        return f"image on {CLARA} Whitfield {doing} in the {place}"
    if number % 12 == 7:
        return f"generate an image in Gothic style: {CLARA} and {EDMUND} are talking with happy faces in the {place}"
    if number % 12 == 9:
        return f"an image of {who} {doing}"
    if number % 12 == 10:
        return f"generate an image in Gothic style: Lady Whitfield looks at a stranger in the {place}"
    return f"generate an image in Gothic style: {who} {doing} in the {place}"


def story(frames: int = 121) -> dict:
    """The whole story."""
    told = []
    for number in range(frames):
        told.append(["frame", frame(30 if number in (31, 32) else number)])
        if number % 2:
            speaker = ("Clara", "Edmund", "Mrs. Whitfield", "Bruno")[number // 2 % 4]
            told.append(["dialogue", f"{speaker}: The letter number {number} must not be lost."])
    return {
        "character": {"Clara Whitfield": CLARA, "Edmund Gray": EDMUND},
        "overview": "Clara Whitfield, a duchess, finds a letter at the harbor and falls in love with Edmund Gray.",
        "img_diag": told,
        "QA": [
            {"Question": "What is the movie about?", "Answer": "A duchess who finds a letter and falls in love."},
            {"Question": "What happens before Clara goes to the library?", "Answer": "She is at the market."},
            {"Question": "What does Clara hold in the garden?", "Answer": "A letter."},
            {"Question": "Who looks like Anna Moonlight?", "Answer": "Clara."},
            {"Question": "What does Clara hold in the garden?", "Answer": "A letter."},
            {"Question": "", "Answer": "Nobody asked."},
        ],
    }


def published(frames: int = 121) -> bytes:
    """The story as a file."""
    return json.dumps(story(frames)).encode()
