"""The embedded writer: a story grammar that needs neither network nor key."""
