"""Conversations with language models that both writers and askers have."""
