"""Old places of names, which scripts for the existing client import from."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import httpx
import pytest

import hatcher.api
from hatcher.api import BroodClient
from hatcher.core.moved import _MOVED
from hatcher.core.url_handler import BroodURLHandler
from hatcher.errors import (
    HatcherException,
    InvalidArgumentError,
    InvalidNameError,
    InvalidURLError,
    UnsupportedAPIVersionError,
)

from ..transport.leaking import leaks, renderings

SECRET = "correct-horse-battery"


@pytest.mark.parametrize(("module", "names"), _MOVED.items(), ids=str)
def test_old_modules_say_where_their_names_are(module, names):
    old = import_module(f"hatcher.core.{module}")
    assert old is sys.modules[old.__name__] and {*names} <= {*dir(old)}
    assert find_spec(old.__name__) is not None
    with pytest.raises(AttributeError, match=f"'{old.__name__}' has no attribute 'Nonsense'"):
        _ = old.Nonsense
    for name, new in names.items():
        with pytest.warns(
            DeprecationWarning, match=rf"{name} is deprecated: use hatcher\."
        ) as told:
            found = getattr(old, name)
        (warning,) = told
        assert warning.filename == __file__
        home, _, today = new.rpartition(".")
        assert found is getattr(import_module(home), today)


def test_every_way_to_import_them_works():
    program = """
import warnings
warnings.simplefilter("ignore")
import hatcher.core.v1.repository as first, hatcher.core.v0
from hatcher.core.v1 import repository as second
from hatcher.core.v0.repository import Repository, SinglePlatformRepository
from hatcher.core.v0.organization import *
assert first is second is hatcher.core.v1.repository
print(Repository.__name__, Organization.__name__, hatcher.core.v0.user.User.__name__)
from hatcher.core.v0.nonsense import Organization
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["Repository", "Organization", "User"]
    assert "ModuleNotFoundError: No module named 'hatcher.core.v0.nonsense'" in done.stderr


def test_a_client_of_a_url_handler(brood_server):
    pair = (brood_server.admin_email, brood_server.admin_password)
    handler = BroodURLHandler.from_auth(brood_server.url, pair, verify_ssl=True)
    for version in (0, 1):
        with pytest.warns(DeprecationWarning, match="from_url") as told:
            client = BroodClient(handler, api_version=version)
        assert told[0].filename == __file__ and client.api_version == version
        assert client == BroodClient.from_url(brood_server.url, pair, api_version=version)
        client.create_organization(f"acme{version}", "-")
        client.close()
    with pytest.warns(DeprecationWarning), BroodClient(url_handler=handler) as client:
        assert client.api_version == 0 and client.list_organizations() == ["acme0", "acme1"]
    assert "rh8-x86_64" in handler.get_json("/api/v1/json/metadata/platforms")["platforms"]
    said = handler.get_json("/api/v0/json/metadata/user/repositories", include_indexable=True)
    assert said == {"repositories": []}
    with httpx.Client(auth=pair) as own, pytest.warns(DeprecationWarning):
        for make in (BroodURLHandler, BroodURLHandler.from_session):
            client = BroodClient(make(brood_server.url, own), 1)
            assert client.list_organizations() == ["acme0", "acme1"]


def test_what_a_url_handler_lacks_and_refuses():
    handler = BroodURLHandler.from_auth("https://brood.example.com", ("ada", SECRET))
    assert not [
        text for each in (handler, vars(handler)) for text in renderings(each) if SECRET in text
    ]
    for name in ("get", "post", "put", "delete", "upload", "download_file"):
        with pytest.raises(AttributeError, match=rf"'{name}'.*BroodClient\.raw"):
            getattr(handler, name)
    for path in ("", "api", None, 5, b"/api"):
        with pytest.raises(InvalidArgumentError, match="/api/v1"):
            handler.get_json(path)
    for path in ("/", "//a", "/a/..", "/a/\n", "/a/\udc80", "/a/ "):
        with pytest.raises(InvalidNameError):
            handler.get_json(path)
    with pytest.raises(InvalidURLError):
        BroodURLHandler.from_auth(" ")
    with pytest.raises(UnsupportedAPIVersionError), pytest.warns(DeprecationWarning):
        BroodClient(handler, api_version=2)
    url = f"https://ada:{SECRET}@brood.example.com/?q"
    for other in (5, None, url, object(), hatcher.api):
        with pytest.raises(HatcherException, match=r"BroodClient\.from_url") as caught:
            BroodClient(other)
        assert not [where for where in leaks(caught.value, SECRET) if __file__ not in where]
    for make in (BroodURLHandler.from_auth, BroodURLHandler, BroodURLHandler.from_session):
        with pytest.raises(InvalidArgumentError) as caught:
            make(url, ("a:b", SECRET))
        assert not [where for where in leaks(caught.value, SECRET) if __file__ not in where]
