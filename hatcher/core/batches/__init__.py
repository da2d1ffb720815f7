"""Many files at once: what to send or to fetch, and what became of it.

`methods` is what users call; `sending` and `fetching` are what all kinds have in common.
"""
