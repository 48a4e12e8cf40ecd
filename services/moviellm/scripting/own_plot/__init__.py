"""Reading a plot that a requester brings: an outline, a script or a published story, mended or refused."""
