"""What holds for every test."""

import signal

# A shell that runs the tests in the background has them ignore SIGINT, and every process they start would inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)
