"""The asker and the verifier that ask a language model, and what that will cost."""
