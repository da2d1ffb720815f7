"""Whole repositories: out of a server into a folder, into a server again, and from any place to
another one, moving only what differs; and what proves that they are the same.

>>> from hatcher import mirror
>>> mirror.export(client, 'backup', repositories=['acme/dev']).raise_for_failures()
>>> mirror.plan(dev, prod, prune=True).apply().raise_for_failures()
"""

from hatcher.core.places import Problem
from hatcher.mirror.bundles import BundleCheck, BundleEntry, check_bundle
from hatcher.mirror.cache import Cache, CacheReport
from hatcher.mirror.diffs import Change, Diff, diff
from hatcher.mirror.exporting import export, fetch_bundle
from hatcher.mirror.folder import Folder
from hatcher.mirror.importing import import_
from hatcher.mirror.listing import manifest
from hatcher.mirror.manifests import Difference, Entry, Manifest, read_manifest
from hatcher.mirror.packing import pack
from hatcher.mirror.plans import Plan, plan
from hatcher.mirror.promoting import promote
from hatcher.mirror.pruning import Pruning, prune
from hatcher.mirror.records import MirrorReport, Step
from hatcher.mirror.usage import Share, Usage, usage
from hatcher.mirror.verifying import Finding, Verification, verify

__all__ = [
    "BundleCheck",
    "BundleEntry",
    "Cache",
    "CacheReport",
    "Change",
    "Diff",
    "Difference",
    "Entry",
    "Finding",
    "Folder",
    "Manifest",
    "MirrorReport",
    "Plan",
    "Problem",
    "Pruning",
    "Share",
    "Step",
    "Usage",
    "Verification",
    "check_bundle",
    "diff",
    "export",
    "fetch_bundle",
    "import_",
    "manifest",
    "pack",
    "plan",
    "promote",
    "prune",
    "read_manifest",
    "usage",
    "verify",
]
