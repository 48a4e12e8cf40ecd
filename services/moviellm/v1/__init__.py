"""Generated from proto/moviellm/v1 by `make proto`."""
