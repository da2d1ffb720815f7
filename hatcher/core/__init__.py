"""The graph: one class per kind of place on a Brood server."""

from hatcher.core.moved import offer_old_names

offer_old_names()
