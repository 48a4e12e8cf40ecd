"""`moviellm demo`."""


def demo() -> None:
    """."""
    raise NotImplementedError
