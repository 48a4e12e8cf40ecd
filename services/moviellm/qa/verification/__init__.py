"""What every question must pass: read again from its evidence, guessed blind, compared with all others."""
