"""The `moviellm` command: a client of MovieDatasetService, and a local stack to try it with."""
