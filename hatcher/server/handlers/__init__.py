"""What answers the operations, by the tags of the description.

Importing this package registers every handler.
"""

from hatcher.server.handlers import (
    apps,
    authentication,
    bundles,
    eggs,
    organizations,
    platforms,
    repositories,
    runtimes,
    teams,
    users,
)

__all__ = [
    "apps",
    "authentication",
    "bundles",
    "eggs",
    "organizations",
    "platforms",
    "repositories",
    "runtimes",
    "teams",
    "users",
]
