"""The public names, and that importing and using them is light."""

from __future__ import annotations

import subprocess
import sys

import pytest

import hatcher.api

pytestmark = pytest.mark.usefixtures("unmeasured")

#: What takes longer to import than a small answer takes to arrive.
HEAVY = (
    "asyncio",
    "attr",
    "brood_api.client",
    "brood_api.errors",
    "brood_api.models",
    "brood_api.types",
    "certifi",
    "click",
    "difflib",
    "email",
    "h11",
    "hmac",
    "html",
    "httpcore",
    "httpx",
    "inspect",
    "msgspec",
    "multiprocessing",
    "okonomiyaki",
    "platformdirs",
    "random",
    "rich",
    "secrets",
    "sqlalchemy",
    "sqlite3",
    "subprocess",
    "tempfile",
    "tenacity",
    "urllib.request",
    "yaml",
    "zipfile",
)

#: http.client parses heads with email, which imports random up to Python 3.12.
WITH_HTTP = {"email"} if sys.version_info >= (3, 13) else {"email", "random"}


def imported_by(program: str) -> set[str]:
    """The heavy modules that a process of its own has imported in the end."""
    program += f"\nimport sys; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_every_public_name_is_there():
    for name in hatcher.api.__all__:
        assert getattr(hatcher.api, name) is not None
    assert dir(hatcher.api) == sorted(hatcher.api.__all__)


def test_an_unknown_name_is_no_attribute():
    assert not hasattr(hatcher.api, "Nonsense")


def test_no_part_of_the_api_imports_its_async_twin():
    program = "import sys; from hatcher.api import *; import hatcher.mirror, hatcher.access"
    program += (
        "; print(*(name for name in sys.modules if name.split('.')[0] in ('anyio', 'asyncio')"
    )
    program += " or name.startswith('hatcher.aio')))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_importing_the_names_is_importing_nothing_else():
    program = "import sys, typing; before = set(sys.modules); import hatcher.api"
    program += "; print(*set(sys.modules) - before)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert {name for name in done.stdout.split() if not name.startswith("importlib")} <= {
        "__future__",
        "hatcher",
        "hatcher.api",
        "warnings",
    }


def test_importing_all_the_names_imports_no_other_package_but_attrs():
    assert imported_by("from hatcher.api import *") <= {"attr", "html", "inspect", "random"}


def test_making_the_graph_imports_nothing_heavy():
    program = """
from hatcher.api import BroodClient, BroodClientAuth
auth = BroodClientAuth('https://brood.example.com', ('ada', 'password'))
client = BroodClient.from_url('https://brood.example.com', auth=auth)
platform = client.organization('acme').repository('dev').platform('rh8-x86_64')
egg = platform.egg('cp311', 'numpy', '1.26.4-1')
"""
    assert imported_by(program) <= {"random"}


def test_a_first_answer_imports_nothing_heavy(brood_server):
    client = brood_server.client()
    token = client.create_api_token("a first answer")["token"]
    for auth in (
        f"BroodBearerTokenAuth({token!r})",
        f"BroodClientAuth({brood_server.url!r}, {token!r})",
    ):
        program = f"""
from hatcher.api import BroodBearerTokenAuth, BroodClient, BroodClientAuth
with BroodClient.from_url({brood_server.url!r}, auth={auth}, api_version=1) as client:
    assert client.list_platforms() == {client.list_platforms()!r}
    assert client.whoami()["repositories"] is not None
"""
        assert imported_by(program) == WITH_HTTP


def test_a_first_error_imports_nothing_heavy(brood_server):
    program = f"""
from hatcher.api import BroodClient
from hatcher.errors import AuthenticationError
try:
    BroodClient.from_url({brood_server.url!r}, auth=('ada', 'no'), api_version=1).list_platforms()
except AuthenticationError:
    print("refused")
"""
    assert imported_by(program) == {*WITH_HTTP, "refused"}


def test_a_first_index_imports_no_other_client(brood_server):
    client = brood_server.client()
    client.create_organization("acme", "Makers").create_repository("dev", "Nightly")
    token = client.create_api_token("a first index")["token"]
    program = f"""
from hatcher.api import BroodBearerTokenAuth, BroodClient
auth = BroodBearerTokenAuth({token!r})
with BroodClient.from_url({brood_server.url!r}, auth=auth, api_version=1, cache=False) as client:
    assert client.at('acme/dev/rh8-x86_64').list_eggs('cp311') == []
"""
    assert imported_by(program) <= WITH_HTTP
