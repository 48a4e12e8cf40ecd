"""One of several controllers leads; the others stand by and hand calls on."""
