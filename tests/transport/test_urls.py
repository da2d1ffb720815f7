"""What a server's URL may look like, and what a name in a path."""

import pickle

import pytest

from hatcher.errors import InvalidNameError, InvalidURLError
from hatcher.transport.urls import (
    ServerURL,
    authority,
    certified_name,
    checked_segment,
    host_field,
    origin_of,
    showable,
    split,
    url_credentials,
)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("https://brood.example.com", "https://brood.example.com"),
        ("brood.example.com", "https://brood.example.com"),
        ("brood.example.com:8443/", "https://brood.example.com:8443"),
        ("  https://Brood.Example.com  ", "https://brood.example.com"),
        ("https://brood.example.com:443", "https://brood.example.com"),
        ("https://example.com/a/b/", "https://example.com/a/b"),
        ("https://example.com/a/api/v1/json", "https://example.com/a"),
        ("localhost:8080", "http://localhost:8080"),
        ("127.0.0.1:8080/brood", "http://127.0.0.1:8080/brood"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("https://[2001:DB8:0::0:1]", "https://[2001:db8::1]"),
        ("http://[fe80::1%25eth0]:8000", "http://[fe80::1%eth0]:8000"),
        ("http://[fe80::1%25]", "http://[fe80::1%25]"),
        ("[::1%lo]:8080", "http://[::1%lo]:8080"),
        ("https://BÜCHER.example:8443/ä", "https://xn--bcher-kva.example:8443/ä"),
        ("https://b\u0075\u0308cher.example", "https://xn--bcher-kva.example"),
        ("https://b%C3%BCcher.example", "https://xn--bcher-kva.example"),
        ("https://XN--Bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://faß.example", "https://xn--fa-hia.example"),
        ("https://例え。テスト", "https://xn--r8jz45g.xn--zckzah"),
        ("\uff11\uff12\uff17.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://Brood.example.com.", "https://brood.example.com."),
        ("https://my_host-2:08443", "https://my_host-2:8443"),
        ("https://brood.example.com:", "https://brood.example.com"),
    ],
)
def test_a_url_is_read_as_a_person_means_it(given, meant):
    assert str(ServerURL.parse(given)) == meant


@pytest.mark.parametrize(
    ("given", "trouble"),
    [
        ("", "empty"),
        ("ftp://brood.example.com", "scheme is 'ftp'"),
        ("https://", "no host"),
        ("https://:8080", "no host"),
        ("https://example.com:http", "port"),
        ("https://example.com:99999", "port"),
        ("https://example.com/?a=b", "query"),
        ("https://example.com/#top", "fragment"),
        ("https://example.com:0", "port"),
        ("https://example.com:+80", "port"),
        ("https://example.com:\uff18\uff10", "port"),
        ("https://example.com:1:2", "port"),
        (f"https://example.com:{'9' * 5000}", "port"),
        ("https://exa%00mple.com", "neither a host name"),
        ("https://exa%FFmple.com", "neither a host name"),
        ("https://exa\\mple.com", "neither a host name"),
        ("https://example..com", "neither a host name"),
        ("https://.", "neither a host name"),
        (f"https://{'a' * 64}.com", "neither a host name"),
        (f"https://{'a.' * 127}com", "neither a host name"),
        ("https://\N{SNOWMAN}.example", "neither a host name"),
        ("https://xn--a.example", "neither a host name"),
        ("https://\u202eexample.com", "neither a host name"),
        ("https://exa\u2100mple.com", "not a URL"),
        ("https://[::1", "not a URL"),
        ("https://[1.2.3.4]", "not a URL"),
        ("https://[fe80::1%]", "not a URL"),
        ("https://[fe80::1%a/b]", "not a URL"),
        ("https://[v1.a]", "neither a host name"),
        ("https://[::1]a", "neither a host name"),
    ],
)
def test_another_url_is_refused_with_the_reason_and_an_example(given, trouble):
    with pytest.raises(InvalidURLError, match=trouble) as caught:
        ServerURL.parse(given)
    assert "https://brood.example.com" in str(caught.value)


def test_credentials_in_a_url_are_kept_apart_and_never_shown():
    url = "https://ada:pa%3Ass@brood.example.com/x"
    server = ServerURL.parse(url)
    assert str(server) == "https://brood.example.com/x"
    assert "pa" not in repr(server).replace("brood.example.com", "").replace("path", "")
    username, password = url_credentials(url) or pytest.fail("the credentials are lost")
    assert (username, password.reveal()) == ("ada", "pa:ss")
    assert server == ServerURL.parse("https://brood.example.com/x")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://ada:hunter2@example.com",
        "https://ada:hunter2@example.com:port",
        "ada:hunter2@",
        "https://ada:hunter2/@example.com",
        "https://ada:hunter2@[::1",
        "ada:hunter2/@[::1",
        "https://ada:hunter2@example..com",
    ],
)
def test_a_refused_url_does_not_show_its_password(url):
    with pytest.raises(InvalidURLError) as caught:
        ServerURL.parse(url)
    assert "hunter2" not in str(caught.value)


def test_what_is_shown_of_a_url_has_no_user_and_no_query():
    url = "https://ada:hunter2@example.com:8443/a/b?signature=secret#part"
    assert showable(url) == "https://example.com:8443/a/b"
    for url in ("https://ada:hunter2@[::1/a?signature=secret#x", "//ada:hunter2@[::1#secret"):
        shown = showable(url)  # what is no URL at all
        assert "ter2" not in shown and "secret" not in shown and "[::1" in shown


@pytest.mark.parametrize(
    ("url", "host", "sent", "certified"),
    [
        ("http://B%C3%BCcher.example:81/x?y", "xn--bcher-kva.example", None, None),
        ("http://Example.COM.:81/x?y", "example.com.", None, "example.com"),
        ("http://[FE80::1%25eth0]:81/x?y", "fe80::1%eth0", "[fe80::1]", "fe80::1"),
        ("http://[::0001]:81/x?y", "::1", "[::1]", None),
        ("http://127.0.0.1:81/x?y", "127.0.0.1", None, None),
    ],
)
def test_all_that_reads_urls_finds_the_same_host(url, host, sent, certified):
    origin = ("http", host, 81)
    assert split(url) == (origin, "/x?y")
    assert origin_of(url) == ServerURL.parse(url.partition("?")[0]).origin == origin
    assert origin_of(f"http://{authority(origin)}/") == origin
    assert origin_of(str(ServerURL.parse(f"http://{authority(origin)}/"))) == origin
    assert showable(f"http://{authority(origin)}/x?y") == f"http://{authority(origin)}/x"
    assert host_field(origin) == f"{sent or host}:81"
    assert certified_name(host) == (certified or host)
    assert pickle.loads(pickle.dumps(ServerURL(*origin))).origin == origin


@pytest.mark.parametrize(
    "url", ["ftp://a/b", "//a/b", "/b", "http://", "http://a:0/", "http://a:x/", "http://[::1/"]
)
def test_what_leads_to_no_server_is_no_origin(url):
    with pytest.raises(ValueError):
        split(url)


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a\nb", "a\x00b", "a\x7f", "a\udcff", 3])
def test_a_name_that_leads_elsewhere_is_refused(name):
    with pytest.raises(InvalidNameError, match="int" if name == 3 else "repository"):
        checked_segment(name, "repository")


@pytest.mark.parametrize("name", ["a/b", "a..b", "...", "ä b+c@d?e#f%2F"])
def test_odd_names_are_names(name):
    assert checked_segment(name, "repository") == name
