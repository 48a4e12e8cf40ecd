"""Who may do what with whose datasets, and how much of it at once."""
