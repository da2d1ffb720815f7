"""Mirrors of a public repository, without credentials."""

from __future__ import annotations

from hatcher import mirror
from hatcher.api import BroodClient
from hatcher.errors import AuthenticationError
from hatcher.mirror.layout import KINDS

from .conftest import PLATFORM, SOME, files, fill


def test_everything_of_it(brood_server, client, tmp_path):
    acme = client.create_organization("acme", "Makers of everything")
    acme.create_repository("dev", "Not for all")
    source = acme.create_repository("open", "For all", public=True)
    expected = fill(source, tmp_path / "artefacts")
    with BroodClient.from_url(brood_server.url, api_version=1) as anyone:
        public = anyone.organization("acme").repository("open")

        # All that everybody sees: this repository alone.
        mirror.export(anyone, tmp_path / "export", kinds=KINDS, **SOME).raise_for_failures()
        found = files(tmp_path / "export")
        assert expected.items() <= found.items()
        assert all(path.startswith("v1/acme/open/") for path in found)
        verified = mirror.verify(mirror.Folder(tmp_path / "export", "acme/open"), public, **SOME)
        assert verified and verified.checked

        plan = mirror.plan(public, mirror.Folder(tmp_path / "mirror", "acme/open"), **SOME)
        plan.apply().raise_for_failures()
        assert files(tmp_path / "mirror").keys() == found.keys()
        assert not mirror.plan(public, mirror.Folder(tmp_path / "mirror", "acme/open"), **SOME)
        assert mirror.verify(mirror.Folder(tmp_path / "mirror", "acme/open"), public, **SOME)

        target = client.organization("acme").repository("dev")
        mirror.plan(public, target, **SOME).apply().raise_for_failures()
        assert not mirror.plan(source, target, **SOME)
        source.platform(PLATFORM).delete_egg("cp38", "old", "1.0-1")
        (failed,) = mirror.plan(target, public, **SOME).apply().failed
        assert isinstance(failed.error, AuthenticationError)
