"""What a server's URL may look like, and what a name in a path."""

import pickle

import pytest

from hatcher.errors import InvalidNameError, InvalidURLError
from hatcher.transport.urls import ServerURL, checked_segment, showable


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("https://brood.example.com", "https://brood.example.com"),
        ("https://brood.example.com/", "https://brood.example.com"),
        ("brood.example.com", "https://brood.example.com"),
        ("brood.example.com:8443/", "https://brood.example.com:8443"),
        ("  https://Brood.Example.com  ", "https://brood.example.com"),
        ("http://brood.example.com", "http://brood.example.com"),
        ("https://brood.example.com:443", "https://brood.example.com"),
        ("https://example.com/a/b/", "https://example.com/a/b"),
        ("https://example.com/a/api/v1/json", "https://example.com/a"),
        ("https://example.com/api/v0/json/", "https://example.com"),
        ("localhost:8080", "http://localhost:8080"),
        ("127.0.0.1:8080/brood", "http://127.0.0.1:8080/brood"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_a_url_is_read_as_a_person_means_it(given: str, meant: str) -> None:
    assert str(ServerURL.parse(given)) == meant


@pytest.mark.parametrize(
    ("given", "trouble"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("ftp://brood.example.com", "scheme is 'ftp'"),
        ("https://", "no host"),
        ("https://:8080", "no host"),
        ("https://example.com:http", "port"),
        ("https://example.com:99999", "port"),
        ("https://example.com/?a=b", "query"),
        ("https://example.com/#top", "fragment"),
        ("https://exa mple.com", "no host"),
        ("https://[::1", "no URL"),
    ],
)
def test_another_url_is_refused_with_the_reason_and_an_example(given: str, trouble: str) -> None:
    with pytest.raises(InvalidURLError, match=trouble) as caught:
        ServerURL.parse(given)
    assert "https://brood.example.com" in str(caught.value)


def test_credentials_in_a_url_are_kept_apart_and_never_shown() -> None:
    server = ServerURL.parse("https://ada:pa%3Ass@brood.example.com/x")
    assert str(server) == "https://brood.example.com/x"
    assert "pa" not in repr(server).replace("brood.example.com", "").replace("path", "")
    username, password = server.credentials or pytest.fail("the credentials are lost")
    assert (username, password.reveal()) == ("ada", "pa:ss")
    assert server == ServerURL.parse("https://brood.example.com/x")


def test_a_refused_url_does_not_show_its_password() -> None:
    for url in (
        "ftp://ada:hunter2@example.com",
        "https://ada:hunter2@example.com:port",
        "ada:hunter2@",
    ):
        with pytest.raises(InvalidURLError) as caught:
            ServerURL.parse(url)
        assert "hunter2" not in str(caught.value)


def test_what_is_shown_of_a_url_has_no_user_and_no_query() -> None:
    url = "https://ada:hunter2@example.com:8443/a/b?signature=secret#part"
    assert showable(url) == "https://example.com:8443/a/b"


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a\nb", "a\x00b", "a\x7f", "a\udcff"])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(InvalidNameError, match="repository"):
        checked_segment(name, "repository")


def test_a_name_must_be_a_string() -> None:
    with pytest.raises(InvalidNameError, match="int"):
        checked_segment(3, "repository")


@pytest.mark.parametrize("name", ["a/b", "a..b", "...", "ä b+c@d?e#f%2F"])
def test_odd_names_are_names(name: str) -> None:
    assert checked_segment(name, "repository") == name


def test_a_server_url_can_be_pickled_when_it_holds_no_secret() -> None:
    server = ServerURL.parse("https://brood.example.com/x")
    assert pickle.loads(pickle.dumps(server)) == server
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(ServerURL.parse("https://ada:hunter2@brood.example.com"))
