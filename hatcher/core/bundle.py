"""Bundles: a runtime and eggs that belong together, by their hashes."""
