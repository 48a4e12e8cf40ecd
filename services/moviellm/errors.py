"""What can go wrong, sorted by the caller's question: will asking again help?

MovieLLMError
├── Permanent            asking again gives the same answer
│   ├── InvalidInput     a field of the request is wrong; names the field and what is allowed
│   ├── NotFound         there is no such thing
│   ├── AlreadyExists    the name is taken
│   ├── Unsatisfied      the request is fine, the state of things is not; says what to do
│   ├── Unauthenticated  who asks did not say who they are, or is not known
│   ├── Denied           who asks may not
│   └── Broken           a bug or a damaged artifact; the traceback is in the log
└── Temporary            asking again may help
    ├── Unavailable      a service or something it depends on does not answer now
    ├── Exhausted        a quota or a queue is full; says when to ask again
    └── Interrupted      the work was stopped half-way: shutdown, deadline, a lost replica
"""


class MovieLLMError(Exception):
    """An error with one sentence for people and a stable `reason` for programs."""

    reason = "ERROR"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if reason is not None:
            self.reason = reason


class Permanent(MovieLLMError):
    """Asking again gives the same answer."""


class InvalidInput(Permanent):
    """A field of the request is wrong. `allowed` says what the field may hold."""

    reason = "INVALID_INPUT"

    def __init__(self, field: str, allowed: str) -> None:
        super().__init__(f"{field}: {allowed}")
        self.field = field
        self.allowed = allowed


class NotFound(Permanent):
    """There is no such thing."""

    reason = "NOT_FOUND"


class AlreadyExists(Permanent):
    """The name is taken."""

    reason = "ALREADY_EXISTS"


class Unsatisfied(Permanent):
    """The request is fine, the state of things is not."""

    reason = "FAILED_PRECONDITION"


class Unauthenticated(Permanent):
    """Who asks did not say who they are, or is not known."""

    reason = "UNAUTHENTICATED"


class Denied(Permanent):
    """Who asks may not."""

    reason = "DENIED"


class Broken(Permanent):
    """A bug or a damaged artifact."""

    reason = "INTERNAL"


class Temporary(MovieLLMError):
    """Asking again may help. `retry_after` is in seconds, None where nobody knows."""

    def __init__(self, message: str, *, reason: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, reason=reason)
        self.retry_after = retry_after


class Unavailable(Temporary):
    """A service or something it depends on does not answer now."""

    reason = "UNAVAILABLE"


class Exhausted(Temporary):
    """A quota or a queue is full."""

    reason = "EXHAUSTED"


class Interrupted(Temporary):
    """The work was stopped half-way."""

    reason = "INTERRUPTED"
