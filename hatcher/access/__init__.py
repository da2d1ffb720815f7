"""Who may do what: read from a server, kept in a file, and brought about.

>>> from hatcher import access
>>> access.read(client.organization('acme')).rows
>>> access.plan(client, 'people.yaml', prune=True).apply().raise_for_failures()
"""

from hatcher.access.changes import Report, Result, Step
from hatcher.access.documents import (
    SCHEMA,
    AccessDocument,
    OrganizationAccess,
    RepositoryAccess,
    TeamAccess,
)
from hatcher.access.plans import Plan, plan
from hatcher.access.reading import Access, AccessRow, MemberRow, read

__all__ = [
    "SCHEMA",
    "Access",
    "AccessDocument",
    "AccessRow",
    "MemberRow",
    "OrganizationAccess",
    "Plan",
    "Report",
    "RepositoryAccess",
    "Result",
    "Step",
    "TeamAccess",
    "plan",
    "read",
]
