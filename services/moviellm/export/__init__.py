"""Stage 5: finished movies become what people and trainers open."""
