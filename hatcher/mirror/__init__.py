"""Whole repositories: out of a server into a folder, and from a folder into a server; and
what two places have in common.

>>> from hatcher import mirror
>>> mirror.export(client, 'backup', repositories=['acme/dev']).raise_for_failures()
"""

from hatcher.mirror.cache import Cache, CacheReport
from hatcher.mirror.exporting import export
from hatcher.mirror.importing import import_
from hatcher.mirror.planning import Plan, Step, plan
from hatcher.mirror.report import MirrorReport, Problem

__all__ = [
    "Cache",
    "CacheReport",
    "MirrorReport",
    "Plan",
    "Problem",
    "Step",
    "export",
    "import_",
    "plan",
]
