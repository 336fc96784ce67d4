"""Base models and adapters in memory: load, tokenise for them, let them speak."""
