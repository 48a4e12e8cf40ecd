"""A full disk is told as what it is."""

import contextlib
import errno
from collections.abc import Iterator

from moviellm.errors import Exhausted

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
ASK_AGAIN_SECONDS = 60.0


@contextlib.contextmanager
def telling_full_disk() -> Iterator[None]:
    """Raise Exhausted where the local disk has no room for an export under way; nothing of it is in the store then."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        message = f"the export service's own disk is full ({error.strerror}); make room or give it a larger one"
        raise Exhausted(message, reason="DISK_FULL", retry_after=ASK_AGAIN_SECONDS) from error
