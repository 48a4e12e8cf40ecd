"""The rules of a script as a table, what they look at, and how long a prompt may be."""
