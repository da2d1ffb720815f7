"""The command line without credentials: it asks all the same, and says when a login may be needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatcher.testing import FaultyGateway, write_egg

from .conftest import Cli
from .test_completion import offered

PLACE = ("acme", "open", "rh8-x86_64")


@pytest.fixture
def public(cli: Cli, dev: str, tmp_path: Path) -> Cli:
    """An egg in the public repository acme/open, and nobody named."""
    assert cli("repositories", "create", "acme", "open", "For all", "--public").code == 0
    platform = cli.client().organization("acme").repository("open").platform("rh8-x86_64")
    platform.upload_egg(write_egg(tmp_path, "spam", "1.0.0", python_tag="cp311"))
    cli.delenv("HATCHER_USERNAME", "HATCHER_PASSWORD")
    return cli


def test_creation(cli, dev):
    create = ("repositories", "create", "acme", "open", "For all", "--public")
    assert "the public repository acme/open" in cli(*create, "--dry-run").err
    done = cli(*create)
    assert done.code == 0 and "Created the public repository acme/open." in done.err
    assert cli("repositories", "metadata", "acme", "open").data["public"] == "read_repository"
    assert "public" not in cli("repositories", "metadata", "acme", "dev").data


def test_reading(public):
    assert public("eggs", "list", *PLACE, "cp311", "-o", "json").data[0]["python_tag"] == "cp311"
    assert public("user", "repositories", "-o", "json").data == [{"name": "acme/open"}]
    fetched = public("eggs", "download", *PLACE, "cp311", "spam", "1.0.0-1")
    assert fetched.code == 0, fetched.err
    exported = public("export", "out", "-r", "acme/open", "-p", PLACE[2], "-t", "cp311")
    assert exported.code == 0, exported.err
    some = ("-p", PLACE[2], "-t", "cp311")
    mirrored = public("mirror", "apply", "acme/open", "./mirror/", *some)
    assert mirrored.code == 0, mirrored.err
    assert public("mirror", "verify", "./mirror/", "--against", "acme/open", *some).code == 0
    assert "Everybody may read 1 repository." in public("whoami").out
    assert (public("whoami").code, public("--anonymous", "whoami").code) == (3, 0)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("eggs", "list", "acme", "dev", "rh8-x86_64", "cp311"), 4),
        (("eggs", "list", "acme", "opne", "rh8-x86_64", "cp311"), 4),
        (("eggs", "metadata", *PLACE, "cp311", "ham", "1.0.0-1"), 4),
        (("repositories", "list", "acme"), 3),
        (("api-tokens", "list"), 3),
    ],
)
def test_a_login_may_be_needed(public, command, code):
    result = public(*command)
    assert result.code == code, result.err
    assert "run 'hatcher login'" in result.err
    assert ("Did you mean 'open'?" in result.err) is ("opne" in command)
    result = public("--anonymous", *command)
    assert "leave --anonymous out" in result.err
    public.setenv("HATCHER_USERNAME", public.server.admin_email)
    public.setenv("HATCHER_PASSWORD", public.server.admin_password)
    result = public(*command)
    assert "hatcher login" not in result.err and "anonymous" not in result.err


def test_completion_offers_what_everybody_may_read(public):
    public.setenv("HATCHER_COMPLETION_TIMEOUT", 30)
    assert offered(public, "eggs list ") == ["acme"]
    assert offered(public, "eggs list acme ") == ["open"]


def test_anonymous_sends_nothing(public):
    """Neither what a profile keeps, nor what stands in the environment or in a URL."""
    login = ("login", public.server.url, "-U", public.server.admin_email, "--insecure-storage")
    public.delenv("HATCHER_URL")
    done = public(*login, input=f"{public.server.admin_password}\n")
    assert done.code == 0, done.err
    listing = ("user", "repositories", "-o", "jsonl")
    assert len(public(*listing).out.splitlines()) == 2
    assert len(public("--anonymous", *listing).out.splitlines()) == 1
    public.setenv("HATCHER_ANONYMOUS", "1")
    assert len(public(*listing).out.splitlines()) == 1
    public.delenv("HATCHER_ANONYMOUS")
    public.setenv("HATCHER_TOKEN", "wrong")
    assert public(*listing).code == 3
    assert len(public("--anonymous", *listing).out.splitlines()) == 1
    with FaultyGateway(public.server.url) as gateway:
        with_name = gateway.url.replace("//", "//ada:secret@")
        public.setenv("HATCHER_URL", with_name)
        assert public("--anonymous", *listing).code == 0
        (request,) = gateway.requests
        assert "authorization" not in {name.lower() for name in request.headers}
    named = ("--anonymous", "--url", with_name)
    public.fails(2, "--anonymous and a name in the URL", *named, *listing)
    public.fails(2, "--anonymous and --token", "--anonymous", "--token", "x", *listing)
