"""The graph: one class per kind of place on a Brood server."""
