"""The judges of two answers: words in common, or a language model in both orders."""
