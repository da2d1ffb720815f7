"""What all places in the graph have in common, and that making one sends nothing."""

import pickle
import re
import socket
from inspect import signature
from itertools import combinations
from pathlib import Path
from types import FunctionType

import httpx
import pytest
from IPython.core.completer import IPCompleter, provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import hatcher.api
from hatcher.api import (
    BroodBearerTokenAuth,
    BroodClient,
    BroodClientAuth,
    SinglePlatformRepository,
    Timeouts,
)
from hatcher.core.eggs import Eggs
from hatcher.core.node import Node
from hatcher.errors import (
    InvalidArgumentError,
    InvalidNameError,
    InvalidURLError,
    UnsupportedAPIVersionError,
)

URL = "https://brood.example.com"


def places(client: BroodClient) -> list[Node]:
    organization = client.organization("acme")
    repository = organization.repository("dev")
    return [client, organization, repository, repository.platform("rh5-x86_64")]


@pytest.fixture
def silent_port() -> "socket.socket":
    """Listens, and can tell whether anybody ever knocked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        yield listener


def test_building_the_graph_sends_nothing(silent_port):
    url = f"http://127.0.0.1:{silent_port.getsockname()[1]}"
    pair = ("ada", "password")
    for auth in (None, pair, BroodBearerTokenAuth("token"), BroodClientAuth(url, pair)):
        client = BroodClient.from_url(url, auth=auth)
        shown = [(repr(place), str(place), hash(place)) for place in places(client)]
        assert len(set(shown)) == 4 and all(map(dir, places(client)))
        assert pickle.loads(pickle.dumps(places(client))) == places(client)
        assert client.raw
        client.close()
    with pytest.raises(TimeoutError):
        silent_port.accept()


def test_reprs_and_strs_are_those_that_users_know():
    client, organization, repository, platform = places(BroodClient.from_url(URL, api_version=1))
    assert repr(client) == f"<BroodClient url='{URL}', api_version=1>"
    assert repr(organization) == "<Organization organization_name='acme'>"
    assert repr(repository) == "<Repository organization='acme', repository='dev'>"
    assert repr(platform) == (
        "<SinglePlatformRepository organization='acme', repository='dev', platform='rh5-x86_64'>"
    )
    assert (str(repository), str(platform)) == ("acme/dev", "acme/dev/rh5-x86_64")


def test_names_are_properties():
    client, organization, repository, platform = places(BroodClient.from_url(f"{URL}/x"))
    assert (client.url, client.api_version) == (f"{URL}/x", 0)
    assert organization.name == "acme"
    assert (repository.name, repository.organization_name) == ("dev", "acme")
    assert platform.name == "rh5-x86_64"
    assert (platform.organization_name, platform.repository_name) == ("acme", "dev")


def test_places_are_equal_by_what_they_are():
    one, same = places(BroodClient.from_url(URL)), places(BroodClient.from_url(f"{URL}/"))
    assert one == same and len({*one, *same}) == 4
    elsewhere = BroodClient.from_url("https://other.example.com")
    newer = BroodClient.from_url(URL, api_version=1)
    different = [*one, elsewhere, newer, elsewhere.organization("acme"), one[0].organization("b")]
    assert all(left != right for left, right in combinations(different, 2))
    assert one[0] != "a string"


def test_places_do_not_change():
    for place in places(BroodClient.from_url(URL)):
        with pytest.raises(AttributeError, match="change"):
            place.name = "other"  # type: ignore[attr-defined]
        with pytest.raises(AttributeError, match="change"):
            del place._session


@pytest.mark.parametrize("name", ["", ".", "..", " ", "a\n", None, 3])
def test_names_that_lead_elsewhere_are_refused_at_once(name):
    client, organization, repository, _ = places(BroodClient.from_url(URL))
    with pytest.raises(InvalidNameError, match="organization"):
        client.organization(name)
    with pytest.raises(InvalidNameError, match="repository"):
        organization.repository(name)
    with pytest.raises(InvalidNameError, match="platform"):
        repository.platform(name)


@pytest.mark.parametrize("version", [2, -1, "1", None, True])
def test_an_unknown_api_version_is_refused(version):
    with pytest.raises(UnsupportedAPIVersionError, match="0 and 1"):
        BroodClient.from_url(URL, api_version=version)


def test_what_is_no_url_is_refused():
    for url in ("", "ftp://brood.example.com", None):
        with pytest.raises(InvalidURLError):
            BroodClient.from_url(url)  # type: ignore[arg-type]


def test_credentials_may_stand_in_the_url():
    client = BroodClient.from_url("https://ada:hunter2@brood.example.com")
    assert client == BroodClient.from_url(URL)
    assert "hunter2" not in f"{client!r}" and b"hunter2" not in pickle.dumps(client)


def test_options_reach_the_session():
    client = BroodClient.from_url(URL, timeout=5, retries=0, verify_ssl=False)
    assert client._session.timeouts == Timeouts(5, 5, 5, 5, 5)
    assert client._session.retries.retries == 0
    again = pickle.loads(pickle.dumps(client))._session
    assert (again.timeouts, again.retries.retries, again.verify_ssl) == (Timeouts.of(5), 0, False)


def test_only_an_httpx_client_is_a_session():
    with pytest.raises(InvalidArgumentError, match=r"httpx\.Client.*from_url"):
        BroodClient.from_session(URL, object())  # type: ignore[arg-type]
    with httpx.Client() as own:
        client = BroodClient.from_session(URL, own)
        assert client == BroodClient.from_url(URL)
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(client)


SURFACE = Path(__file__).parents[1] / "surface" / "api.txt"


def public_names(place: Node) -> set[str]:
    """The names that `make surface` has written down for a kind of place."""
    begin = re.escape(f"hatcher.api.{type(place).__name__}.")
    found = set(re.findall(rf"(?m)^{begin}(\w+)", SURFACE.read_text()))
    return {name for name in found if not name.startswith("_")}


@pytest.mark.parametrize("number", range(4))
def test_tab_completion_shows_the_public_names_and_nothing_else(number):
    place = places(BroodClient.from_url(URL))[number]
    completer = IPCompleter(shell=InteractiveShell.instance(), namespace={"place": place})
    completer.use_jedi = False
    with provisionalcompleter():
        completions = list(completer.completions("place.", len("place.")))
    assert {completion.text.removeprefix(".") for completion in completions} == public_names(place)


def test_methods_are_shown_as_those_of_the_class_that_users_know():
    for kind in hatcher.api.__all__:
        cls = getattr(hatcher.api, kind)
        for name in dir(cls) if isinstance(cls, type) and issubclass(cls, Node) else ():
            method = getattr(cls, name)
            if isinstance(method, FunctionType) and not name.startswith("_"):
                assert method.__qualname__ == f"{kind}.{name}" and method.__doc__
    platform = places(BroodClient.from_url(URL))[-1]
    assert "SinglePlatformRepository.upload_egg" in repr(platform.upload_egg)  # type: ignore[attr-defined]
    own, inherited = SinglePlatformRepository.upload_egg, Eggs.upload_egg
    assert (own.__module__, signature(own)) == (inherited.__module__, signature(inherited))


def test_every_public_name_has_a_docstring_that_names_its_endpoint_and_sections():
    for place in places(BroodClient.from_url(URL)):
        for name in dir(type(place)):
            if name.startswith("_"):
                continue
            attribute = getattr(type(place), name)
            doc = attribute.__doc__ or ""
            assert doc.strip(), f"{type(place).__name__}.{name} has no docstring"
            if callable(attribute) and name not in ("close",):
                sections = [s for s in ("Returns\n", "Raises\n", "Parameters\n") if s in doc]
                assert sections, f"{type(place).__name__}.{name} has no numpydoc section"
