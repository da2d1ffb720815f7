"""Whole repositories: out of a server into a folder, into a server again, and from any place to
another one, moving only what differs; and what proves that they are the same.

>>> from hatcher import mirror
>>> mirror.export(client, 'backup', repositories=['acme/dev']).raise_for_failures()
>>> mirror.plan(dev, prod, prune=True).apply().raise_for_failures()
"""

from hatcher.mirror.bundles.checking import BundleCheck, BundleEntry, check_bundle
from hatcher.mirror.bundles.fetching import fetch_bundle
from hatcher.mirror.cache import Cache, CacheReport
from hatcher.mirror.ends.folder import Folder
from hatcher.mirror.exporting import export
from hatcher.mirror.importing import import_
from hatcher.mirror.listing import manifest
from hatcher.mirror.manifests.manifest import Difference, Entry, Manifest, read_manifest
from hatcher.mirror.packing import pack
from hatcher.mirror.plans.plan import Plan
from hatcher.mirror.plans.planning import plan
from hatcher.mirror.plans.steps import Step
from hatcher.mirror.promoting import promote
from hatcher.mirror.report import MirrorReport, Problem
from hatcher.mirror.verification import Finding, Verification
from hatcher.mirror.verifying import verify

__all__ = [
    "BundleCheck",
    "BundleEntry",
    "Cache",
    "CacheReport",
    "Difference",
    "Entry",
    "Finding",
    "Folder",
    "Manifest",
    "MirrorReport",
    "Plan",
    "Problem",
    "Step",
    "Verification",
    "check_bundle",
    "export",
    "fetch_bundle",
    "import_",
    "manifest",
    "pack",
    "plan",
    "promote",
    "read_manifest",
    "verify",
]
