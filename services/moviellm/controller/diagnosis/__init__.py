"""A look at a deployment from its controller: what is wrong, and what to do."""
