"""moviellm: one theme phrase in, movie-length training data for video language models out."""
