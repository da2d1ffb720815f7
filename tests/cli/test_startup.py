"""What help and completion must not wait for."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.usefixtures("unmeasured")

#: The packages that take long, and what would bring them in; neither help nor completion has a use
#: for any of them.
_HEAVY = {
    "asyncio", "attrs", "brood_api", "certifi", "dateutil", "email", "hatcher.api", "hatcher.core",
    "hatcher.endpoints", "hatcher.mirror", "hatcher.server", "hatcher.transfer",
    "hatcher.transport", "http", "httpcore", "httpx", "importlib.metadata",
    "importlib.resources", "isal", "keyring", "logging", "msgspec", "okonomiyaki", "pydantic",
    "requests", "rich", "socket", "ssl", "tenacity", "urllib.request", "yaml",
}  # fmt: skip

#: Nor has help one for these.
_FOR_SETTINGS = {"platformdirs", "shutil", "tomllib"}

_LIST = """
import sys
from hatcher.cli import main
try:
    main()
finally:
    import json
    print(json.dumps(sorted(sys.modules)), file=sys.__stderr__)
"""


def imported(*arguments: str) -> set[str]:
    """The modules that a process has imported when its command ends."""
    # -I: nothing that the environment of the tests brings in.
    command = [sys.executable, "-I", "-c", _LIST, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout
    return set(json.loads(done.stderr))


@pytest.mark.parametrize(
    "command",
    ["--help", "--version", "eggs --help", "eggs upload --help", "users --help", "login --help"],
)
def test_help_imports_nothing_heavy(cli, command):
    found = imported(*command.split())
    assert "hatcher.cli.root" in found
    assert not found & (_HEAVY | _FOR_SETTINGS)


@pytest.mark.parametrize("line", ["hatcher eg", "hatcher eggs upload --f", "hatcher --output "])
def test_completion_of_words_imports_nothing_heavy(cli, line):
    cli.setenv("_HATCHER_COMPLETE", "bash_complete")
    cli.setenv("COMP_LINE", line)
    assert not imported() & _HEAVY


def test_a_name_that_is_known_imports_nothing_heavy(cli, tmp_path):
    cli.client().create_organization("acme", "Makers of everything")
    cli.setenv("HATCHER_CACHE_DIR", tmp_path)
    cli.setenv("_HATCHER_COMPLETE", "bash_complete")
    cli.setenv("COMP_LINE", "hatcher repositories list a")
    assert "hatcher.core" in imported()  # which asks the server
    assert not imported() & _HEAVY


def test_nothing_is_read_for_help(brood_server, cli, tmp_path):
    (tmp_path / "config.toml").write_text("this is no TOML")
    cli.setenv("HATCHER_CONFIG", tmp_path / "config.toml")
    for command in ("--help", "eggs --help", "--version", "--command-tree"):
        assert cli(*command.split()).code == 0
