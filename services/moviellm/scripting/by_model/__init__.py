"""The writer that asks a language model: whole parts, broken pieces again, and piece by piece."""
