"""The public names, and that importing them is light."""

import subprocess
import sys

import hatcher.api

HEAVY = ("brood_api.models", "click", "httpx", "okonomiyaki", "rich", "sqlalchemy", "tenacity")


def test_every_public_name_is_there() -> None:
    for name in hatcher.api.__all__:
        assert getattr(hatcher.api, name) is not None
    assert dir(hatcher.api) == sorted(hatcher.api.__all__)


def test_an_unknown_name_is_no_attribute() -> None:
    assert not hasattr(hatcher.api, "Nonsense")


def test_importing_and_building_the_graph_imports_nothing_heavy() -> None:
    program = f"""
import sys
from hatcher.api import *
auth = BroodClientAuth('https://brood.example.com', ('ada', 'password'))
client = BroodClient.from_url('https://brood.example.com', auth=auth)
client.organization('acme').repository('dev').platform('rh8-x86_64')
print([name for name in {HEAVY} if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
