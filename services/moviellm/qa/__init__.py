"""Stage 4: questions and answers from the script, each with the frames that prove it, and the judge of answers."""
