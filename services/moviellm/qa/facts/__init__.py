"""The embedded asker: questions from what the script itself says."""
