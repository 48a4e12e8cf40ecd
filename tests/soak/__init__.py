"""The whole as real processes on a real S3 server, while all kinds of things go wrong on a schedule."""
