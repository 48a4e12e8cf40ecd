"""The controller: one dataset from request to shards. It asks what is missing and has it made."""
