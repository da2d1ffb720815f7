"""Bundles, and all that belongs to them."""
