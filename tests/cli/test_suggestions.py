"""What may have been meant: asked only after something was not found, and of real servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatcher.testing import RequestFault, write_egg

from .conftest import Cli

PLACE = ("acme", "dev", "rh8-x86_64")


@pytest.fixture
def nose(cli: Cli, dev: str, tmp_path: Path) -> None:
    """The eggs nose-1.3.0-1 and nose-1.3.1-1 in the repository acme/dev."""
    for version in ("1.3.0", "1.3.1"):
        egg = write_egg(tmp_path, "nose", version, platform="rh8-x86_64")
        assert cli("eggs", "upload", *PLACE, egg).code == 0


def hint(cli: Cli, *arguments: str) -> str:
    result = cli(*arguments)
    assert result.code == 4, result.err
    _, said = result.err.splitlines()
    return said


@pytest.mark.usefixtures("nose")
@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("eggs", "list", "acne", "dev", "rh8-x86_64", "cp311"), "acme"),
        (("eggs", "list", "acme", "Deb", "rh8-x86_64", "cp311"), "dev"),
        (("repositories", "list", "acem"), "acme"),
        (("eggs", "metadata", *PLACE, "cp311", "nosse", "1.3.0-1"), "nose"),
        (("eggs", "metadata", *PLACE, "cp311", "nose", "1.3.2-1"), "1.3.1-1"),
        (("eggs", "download", *PLACE, "cp311", "noes", "1.3.0-1"), "nose"),
        (("eggs", "delete", *PLACE, "cp311", "nsoe", "1.3.0-1", "--yes"), "nose"),
    ],
)
def test_what_may_have_been_meant(cli, arguments, meant):
    said = hint(cli, *arguments)
    question, _, _ = said.partition("?")
    assert f"'{meant}'" in question and question.startswith("Did you mean ")
    assert "hatcher whoami" in said


def test_a_platform_that_the_server_does_not_know(cli, dev):
    result = cli("eggs", "list", "acme", "dev", "rh8-x86_46", "cp311")
    assert result.code == 4
    assert "'rh8-x86_64'" in result.err.splitlines()[1]


def test_teams_and_api_tokens(cli, dev):
    cli.client().organization("acme").create_team("builders", "read_repository")
    cli.client().create_api_token("nightly")
    assert "'builders'" in hint(cli, "teams", "members", "list", "acme", "bilders")
    assert "'nightly'" in hint(cli, "api-tokens", "delete", "nigthly", "--yes")


def test_nothing_is_like_it(cli, dev):
    said = hint(cli, "repositories", "list", "xyzzy")
    assert said.startswith("'hatcher user repositories' lists those that you may see.")


def test_a_server_that_does_not_say(cli, nose, faulty_gateway):
    gateway = faulty_gateway(
        RequestFault("reset", at="request", path="*/organizations", times=99),
        RequestFault("reset", at="request", path="*/index*", times=99),
        RequestFault("reset", at="request", path="*/indices/*", times=99),
    )
    cli.setenv("HATCHER_URL", gateway.url)
    said = hint(cli, "eggs", "metadata", *PLACE, "cp311", "nosse", "1.3.0-1")
    assert said.startswith("Check the names. ") and "Did you mean" not in said


def test_nobody_is_asked_where_all_goes_well(cli, nose, faulty_gateway):
    gateway = faulty_gateway()
    cli.setenv("HATCHER_URL", gateway.url)
    assert cli("eggs", "metadata", *PLACE, "cp311", "nose", "1.3.0-1").code == 0
    assert gateway.sent("GET") == 1
