"""Proxies as the environment names them: which one, over which protocol, and what goes wrong."""

from __future__ import annotations

import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hatcher.api import BroodClientAuth, RetryPolicy, Timeouts
from hatcher.errors import (
    BroodTimeoutError,
    HatcherException,
    InvalidArgumentError,
    InvalidResponseError,
    ProxyError,
    TLSError,
)
from hatcher.testing import Answer, ScriptedServer
from hatcher.transport.http_channel import MAX_HEAD
from hatcher.transport.proxies import Origin, Proxy, proxy_for

from .common import PLATFORMS, token
from .leaking import leaks
from .proxying import (
    ByHttpx,
    HTTPProxy,
    SOCKSProxy,
    TLSServer,
    ask,
    each_way,
    nobody,
    server_context,
)

pytestmark = pytest.mark.sampled(4)

HTTP: Origin = ("http", "brood.example.com", 80)
HTTPS: Origin = ("https", "brood.example.com", 443)
NAMES = ("localhost", "127.0.0.1", "::1", "brood.example")


@pytest.fixture
def server() -> Iterator[TLSServer]:
    with TLSServer(context=server_context(*NAMES)) as made:
        yield made


class TestSettings:
    @pytest.mark.parametrize(
        ("setting", "meant"),
        [
            ("http://proxy:3128", "http://proxy:3128"),
            ("  HTTP://Proxy.Example.com  ", "http://proxy.example.com:80"),
            ("proxy", "http://proxy:80"),
            ("proxy:3128", "http://proxy:3128"),
            ("[::1]:3128", "http://[::1]:3128"),
            ("http://[fe80::1%25eth0]:3128", "http://[fe80::1%eth0]:3128"),
            ("http://bücher.example", "http://xn--bcher-kva.example:80"),
            ("https://proxy", "https://proxy:443"),
            ("socks://proxy", "socks5://proxy:1080"),
            ("socks5://proxy:1081", "socks5://proxy:1081"),
            ("socks5h://proxy", "socks5h://proxy:1080"),
        ],
    )
    @pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
    def test_what_they_mean(self, environment, variable, setting, meant):
        environment.setenv(variable, setting)
        environment.setattr("hatcher.transport.proxies._has_socks", lambda: True)
        assert str(proxy_for(HTTPS)) == meant

    @pytest.mark.parametrize(
        ("setting", "username", "password"),
        [
            ("http://ada:hunter2@proxy", "ada", "hunter2"),
            ("ada:hunter2@proxy:3128", "ada", "hunter2"),
            ("http://ada:p%40ss%3A%2F%25@proxy", "ada", "p@ss:/%"),
            ("http://ada@proxy", "ada", ""),
            ("http://:hunter2@proxy", "", "hunter2"),
            ("http://ada:p@ss@proxy", "ada", "p@ss"),
            ("http://%C3%A4da:%E2%82%AC@proxy", "äda", "€"),
        ],
    )
    def test_user_and_password(self, environment, setting, username, password):
        environment.setenv("http_proxy", setting)
        proxy = proxy_for(HTTP)
        assert proxy is not None and proxy.credentials is not None
        assert (proxy.credentials[0], proxy.credentials[1].reveal()) == (username, password)
        pair = b64encode(f"{username}:{password}".encode()).decode()
        assert proxy.headers()["Proxy-Authorization"].reveal() == f"Basic {pair}"
        assert "hunter2" not in f"{proxy} {proxy!r}" and pair not in repr(proxy)

    @pytest.mark.parametrize(
        ("setting", "trouble"),
        [
            ("http://[::1", "host"),
            ("http://[fe80::1%]", "host"),
            ("http://pro xy", "host"),
            ("http://proxy:99999", "port"),
            ("http://proxy:port", "port"),
            ("http://ada:hunter2", "port"),
            ("://proxy", "scheme"),
            ("foo://proxy", "foo"),
            ("socks4a://ada:hunter2@proxy", "socks5"),
            ("http://", "no host"),
            ("http://ada:hunter2@:3128", "no host"),
            ("http://ada:hun/ter2@proxy", "%2F"),
            ("http://ad#a:hunter2@proxy", "%23"),
            ("http://ada:hunter2?@proxy", "%3F"),
            ("http://ada:hunter2%FF@proxy", "UTF-8"),
            ("http://ada:hunter2\udcff@proxy", "Unicode"),
            ("http://ada:hunter2\n@proxy", "line break"),
            ("http://pro\txy", "control"),
            (f"socks5://ada:{'hunter2' * 40}@proxy", "255"),
        ],
    )
    @pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
    def test_what_they_cannot_be(self, environment, variable, setting, trouble):
        environment.setenv(variable, setting)
        with pytest.raises(InvalidArgumentError, match=trouble) as caught:
            proxy_for(HTTP)
        assert f"environment variable {variable} " in str(caught.value)
        assert not leaks(caught.value, "ter2")

    @pytest.mark.parametrize(
        ("variables", "origin", "meant"),
        [
            ({}, HTTP, None),
            ({"http_proxy": "http://a"}, HTTP, "a"),
            ({"http_proxy": "http://a"}, HTTPS, None),
            ({"https_proxy": "http://a"}, HTTP, None),
            ({"http_proxy": "http://a", "HTTP_PROXY": "http://b"}, HTTP, "a"),
            ({"http_proxy": "http://a", "all_proxy": "http://b"}, HTTP, "a"),
            ({"http_proxy": "http://a", "all_proxy": "http://b"}, HTTPS, "b"),
            ({"HTTP_PROXY": "http://a", "all_proxy": "http://b"}, HTTP, "a"),
            ({"http_proxy": "", "HTTP_PROXY": "http://b"}, HTTP, None),
            ({"http_proxy": " ", "all_proxy": "http://b"}, HTTP, "b"),
            ({"all_proxy": ""}, HTTP, None),
            # A web server passes on a header of a request as HTTP_PROXY.
            ({"HTTP_PROXY": "http://a", "REQUEST_METHOD": "GET"}, HTTP, None),
            ({"http_proxy": "http://a", "REQUEST_METHOD": "GET"}, HTTP, "a"),
            ({"HTTPS_PROXY": "http://a", "REQUEST_METHOD": "GET"}, HTTPS, "a"),
            # One that is not needed may be as it likes.
            ({"https_proxy": "://", "http_proxy": "http://a"}, HTTP, "a"),
            ({"http_proxy": "://", "no_proxy": "*"}, HTTP, None),
        ],
    )
    def test_which_variable_counts(self, environment, variables, origin, meant):
        for name, value in variables.items():
            environment.setenv(name, value)
        proxy = proxy_for(origin)
        assert (proxy and proxy.host) == meant

    def test_those_of_the_system_count(self, environment):
        environment.setattr("sys.platform", "darwin")
        environment.setattr("urllib.request.getproxies", lambda: {"http": "http://ada:x@[::1"})
        environment.setattr("urllib.request.proxy_bypass", lambda host: host == "near:80")
        with pytest.raises(InvalidArgumentError, match="system's setting for http"):
            proxy_for(HTTP)
        assert proxy_for(HTTPS) is None
        assert proxy_for(("http", "near", 80)) is None
        environment.setenv("http_proxy", "proxy")
        assert proxy_for(HTTP) == Proxy("http", "proxy", 80)

    def test_without_any_nothing_is_imported(self, environment):
        code = (
            "import sys; from hatcher.transport.proxies import proxy_for\n"
            "assert proxy_for(('http', 'x', 80)) is None\n"
            "print(sorted({'urllib.request', 'idna', 'httpx', 'ssl'} & set(sys.modules)))"
        )
        assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


class TestNoProxy:
    @pytest.mark.parametrize(
        ("setting", "host", "exempt"),
        [
            ("", "a.example", False),
            ("*", "a.example", True),
            ("*:80", "a.example", True),
            ("*:81", "a.example", False),
            ("a.example", "a.example", True),
            ("A.Example", "a.example", True),
            ("a.example", "a.example.", True),
            ("example", "a.example", True),
            (".example", "a.example", True),
            (".example", "example", True),
            ("*.example", "a.b.example", True),
            ("example", "anexample", False),
            ("a.example", "example", False),
            ("x,,  a.example ,y", "a.example", True),
            ("a.example:80", "a.example", True),
            ("a.example:8080", "a.example", False),
            ("bücher.example", "xn--bcher-kva.example", True),
            ("127.0.0.1:81", "127.0.0.1", False),
            ("127.0.0.*", "127.0.0.1", True),
            ("10.0.0.0/8", "10.1.2.3", True),
            ("10.0.0.0/255.0.0.0", "10.1.2.3", True),
            ("169.254/16", "169.254.3.4", True),
            ("10.0.0.0/8", "11.0.0.1", False),
            ("10.0.0.0/8", "10.example", False),
            ("0.0.0.0/0", "::1", False),
            ("[::1]", "::1", True),
            ("0:0:0:0:0:0:0:1", "::1", True),
            ("[::1]:80", "::1", True),
            ("[::1]:81", "::1", False),
            ("[::2]", "::1", False),
            ("2001:db8::/32", "2001:db8::1", True),
            ("[2001:db8::]/32", "2001:db8::1", True),
            ("2001:db8::/32", "2001:db9::1", False),
            ("fe80::/10", "fe80::1%eth0", True),
            ("[fe80::1%eth0]", "fe80::1%eth0", True),
            ("10.0.0.0/8", "::ffff:a01:203", True),
            ("localhost", "127.0.0.1", False),
            ("my_host", "my_host", True),
        ],
    )
    @pytest.mark.parametrize("variable", ["no_proxy", "NO_PROXY"])
    def test_what_is_exempt(self, environment, variable, setting, host, exempt):
        environment.setenv("all_proxy", "http://proxy")
        environment.setenv(variable, setting)
        for scheme in ("http", "https"):
            assert (proxy_for((scheme, host, 80)) is None) == exempt

    @pytest.mark.parametrize(
        "entry",
        [
            "[::1",
            "::1]",
            "[]",
            "10.0.0.0/33",
            "2001:db8::/129",
            "a.example/8",
            "http://a.example",
            "a.example:99999",
            "1:2:3",
            "a@b",
            "a..b",
            ".",
            "#",
            "a.example?b",
        ],
    )
    @pytest.mark.parametrize("variable", ["no_proxy", "NO_PROXY"])
    def test_what_is_no_host_is_an_error(self, environment, variable, entry):
        environment.setenv("all_proxy", "http://proxy")
        environment.setenv(variable, f"localhost,{entry}")
        with pytest.raises(InvalidArgumentError) as caught:
            proxy_for(HTTP)
        assert variable in str(caught.value) and f"'{entry}'" in str(caught.value)

    @each_way
    def test_it_leads_past_the_proxy(self, environment, sends):
        with ScriptedServer(PLATFORMS) as server:
            environment.setenv("http_proxy", "http://proxy.invalid:1")
            environment.setenv("no_proxy", "10.0.0.0/8,127.0.0.0/8,[::1]")
            assert ask(server.url, sends) == ["rh8-x86_64"]


AUTHS = pytest.mark.parametrize("auth", [None, ByHttpx()], ids=["http.client", "httpx"])
BOTH_URLS = pytest.mark.parametrize("url", ["http://brood.example", "https://brood.example"])


@each_way
class TestThroughProxies:
    @pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
    def test_http(self, environment, sends, variable):
        with ScriptedServer(PLATFORMS) as server, HTTPProxy(credentials="a d:p@ß") as proxy:
            environment.setenv(variable, proxy.at("http", "a%20d:p%40%C3%9F@"))
            assert ask(server.url, sends) == ["rh8-x86_64"]
            host = server.url.removeprefix("http://")
            assert (proxy.targets, server.requests[0].headers["host"]) == ([host], host)

    @pytest.mark.parametrize("variable", ["https_proxy", "all_proxy"])
    @pytest.mark.parametrize("scheme", ["http", "https", "socks", "socks5", "socks5h"])
    def test_https(self, environment, sends, variable, scheme, server, pem):
        with proxy_of(scheme, {"brood.example:443": server.port}, credentials="ada:p@ß") as proxy:
            environment.setenv(variable, proxy.at(scheme, "ada:p%40%C3%9F@"))
            assert ask("https://brood.example", sends, verify_ssl=pem) == ["rh8-x86_64"]
            if scheme == "https":
                with pytest.raises((ProxyError, httpx.ProxyError), match=proxy.at("https")):
                    ask("https://brood.example", sends)
            assert proxy.targets == ["brood.example:443"]
            if isinstance(proxy, HTTPProxy):
                assert "\r\nHost: brood.example:443\r\n" in proxy.heads[0]
        assert "proxy-authorization" not in server.requests[0].headers

    def test_what_is_redirected_takes_a_way_of_its_own(self, environment, sends):
        if "raw" in sends:
            pytest.skip("The raw client follows no redirects.")
        with ScriptedServer(PLATFORMS) as far:
            port = int(far.url.rpartition(":")[2])
            away = Answer(302, {"Location": "http://far.example/x"})
            with ScriptedServer(away) as near, HTTPProxy({"far.example": port}) as proxy:
                environment.setenv("http_proxy", proxy.at("http", "ada:hunter2@"))
                environment.setenv("no_proxy", "127.0.0.1")
                assert ask(near.url, sends) == ["rh8-x86_64"]
                assert proxy.targets == ["far.example"]
                assert "proxy-authorization" not in near.requests[0].headers

    def test_an_unknown_authority_is_the_servers_fault(self, environment, sends, server):
        with HTTPProxy() as proxy:
            environment.setenv("https_proxy", proxy.at("http"))
            with pytest.raises((TLSError, httpx.ConnectError), match="certificate verify failed"):
                ask(f"https://127.0.0.1:{server.port}", sends)

    @pytest.mark.parametrize("verify_ssl", [None, True, False])
    def test_the_exchange_of_tokens_goes_there_too(self, environment, sends, verify_ssl):
        if sends == "httpx":
            pytest.skip("It has other credentials.")
        with ScriptedServer(token("abc"), PLATFORMS) as proxy:
            environment.setenv("http_proxy", proxy.url)
            url = "http://brood.invalid"
            auth = BroodClientAuth(url, ("ada", "hunter2"), verify_ssl=verify_ssl)
            assert ask(url, sends, auth=auth) == ["rh8-x86_64"]
            exchange, asked = (request.target for request in proxy.requests)
        assert exchange == f"{url}/api/v1/json/auth/tokens/auth"
        assert asked == f"{url}/api/v1/json/metadata/platforms"

    def test_an_invalid_setting_is_told_before_anything_is_sent(self, environment, sends):
        with ScriptedServer(PLATFORMS) as server:
            environment.setenv("http_proxy", "http://ada:hunter2@[::1")
            with pytest.raises(InvalidArgumentError, match="http_proxy") as caught:
                ask(server.url, sends)
            assert not server.requests and "hunter2" not in str(caught.value)

    def test_socks_needs_its_extra(self, environment, sends):
        environment.setitem(sys.modules, "socksio", None)
        environment.setenv("all_proxy", "socks5://ada:hunter2@127.0.0.1:1")
        with pytest.raises(InvalidArgumentError, match=r"hatcher\[socks\]") as caught:
            ask("http://brood.example", sends)
        assert "all_proxy" in str(caught.value) and "hunter2" not in str(caught.value)

    @pytest.mark.parametrize("scheme", ["http", "socks5"])
    @pytest.mark.parametrize(
        ("given", "target", "certified"),
        [
            ("[::1]", "[::1]", "::1"),
            ("[FE80::1%25eth9]", "[fe80::1]", "fe80::1"),
            ("Brood.example.", "brood.example.", "brood.example"),
            ("bücher.example", "xn--bcher-kva.example", "xn--bcher-kva.example"),
        ],
    )
    def test_https_to_other_hosts(self, environment, pem, sends, scheme, given, target, certified):
        if scheme == "socks5" and "%" in given:
            pytest.skip("A zone means nothing beyond this machine, and SOCKS has no word for it.")
        place = f"{target}:8443"
        with (
            TLSServer(context=server_context(certified)) as server,
            proxy_of(scheme, {place: server.port}) as proxy,
        ):
            environment.setenv("https_proxy", proxy.at(scheme))
            assert ask(f"https://{given}:8443", sends, verify_ssl=pem) == ["rh8-x86_64"]
            assert (proxy.targets, server.requests[0].headers["host"]) == ([place], place)
            assert server.names == [None if ":" in certified else certified]
            if isinstance(proxy, HTTPProxy):
                assert f"\r\nHost: {place}\r\n" in proxy.heads[0]


def proxy_of(scheme: str, places: dict[str, int], **options: Any) -> HTTPProxy | SOCKSProxy:
    """A proxy that is spoken with in this way."""
    if scheme.startswith("socks"):
        pytest.importorskip("socksio")
        return SOCKSProxy(places, **options)
    context = server_context("127.0.0.1") if scheme == "https" else None
    return HTTPProxy(places, context=context, **options)


class TestFailures:
    """What is told of a proxy that makes no connection."""

    @pytest.fixture(autouse=True)
    def _soon(self, environment: pytest.MonkeyPatch) -> None:
        self.environment = environment

    def failure(
        self, proxy: str, url: str = "https://brood.example", **options: Any
    ) -> HatcherException:
        self.environment.setenv("all_proxy", proxy.replace("://", "://ada:hunter2@"))
        with pytest.raises(HatcherException) as caught:
            ask(url, **options)
        assert proxy in str(caught.value) and "hunter2" not in str(caught.value)
        assert b64encode(b"ada:hunter2").decode() not in str(caught.value)
        return caught.value

    @pytest.mark.sampled(1)
    @pytest.mark.parametrize("scheme", ["http", "https", "socks5", ""])
    @BOTH_URLS
    def test_down_or_unknown(self, scheme, url):
        with nobody() as port:
            place = f"{scheme}://127.0.0.1:{port}" if scheme else "http://proxy.invalid:3128"
            error = self.failure(place, url, retries=RetryPolicy(1, backoff=0))
        assert isinstance(error, ProxyError) and "NO_PROXY" in error.advice

    @BOTH_URLS
    @AUTHS
    def test_it_wants_other_credentials(self, url, auth):
        with HTTPProxy(credentials="ada:other") as proxy:
            error = self.failure(proxy.at("http"), url, auth=auth, retries=RetryPolicy(2, 0.01))
            assert isinstance(error, ProxyError) and "407" in str(error)
            assert "user name" in error.advice
            # Each would be a failed login more.
            assert len(proxy.heads) == 1

    @AUTHS
    def test_it_wants_other_credentials_over_socks(self, auth):
        with SOCKSProxy(credentials="ada:other") as proxy:
            error = self.failure(proxy.at("socks5"), auth=auth)
        assert isinstance(error, ProxyError) and "user name" in error.advice

    @pytest.mark.parametrize(
        ("status", "tries"), [("403 Forbidden", 1), ("429 Later", 3), ("502 Bad Gateway", 3)]
    )
    @AUTHS
    def test_it_refuses(self, status, tries, auth):
        answer = f"HTTP/1.1 {status} ada:hunter2\r\nContent-Length: 0\r\n\r\n".encode()
        with HTTPProxy(answer=answer) as proxy:
            error = self.failure(proxy.at("http"), auth=auth, retries=RetryPolicy(2, 0.01))
            assert isinstance(error, ProxyError) and f"it answered {status[:3]}" in str(error)
            assert len(proxy.heads) == tries

    @pytest.mark.parametrize(
        ("answer", "forever", "says"),
        [
            (b"", b"", "timed out"),
            (b"220 mail ready\r\n\r\n", b"", "not valid HTTP|begin with"),
            (b"\x15\x03\x01\x00\x02\x02\x46", b"", "closed|begin with"),
            (b"HTTP/1.1 200 OK\r\nX: y\r\n", b"", "closed"),
            (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", f"{MAX_HEAD:,} bytes|100 headers"),
            (b"HTTP/1.1 200 OK\r\nX: ", b"yyyyyyy", f"{MAX_HEAD:,} bytes"),
        ],
    )
    def test_it_answers_connect_with_nonsense(self, answer, forever, says):
        with HTTPProxy(answer=answer, forever=forever) as proxy:
            timeout = Timeouts(connect=0.3) if says == "timed out" else Timeouts()
            error = self.failure(proxy.at("http"), timeout=timeout)
            assert isinstance(error, ProxyError)
            assert any(word in str(error) for word in says.split("|"))
            for sends in ("httpx", "raw", "async raw"):
                with pytest.raises((ProxyError, httpx.ProxyError), match=proxy.at("http")):
                    ask("https://brood.example", sends, timeout=timeout)

    @pytest.mark.sampled(1)
    @pytest.mark.parametrize(
        ("answers", "says"),
        [
            ([], "timed out"),
            ([b"\5\2"], "timed out"),
            ([b""], "closed the connection"),
            ([b"\5\xff"], "USERNAME"),
            ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], "Malformed"),
            ([b"\5\2", b"\1\0", b"\5"], "Malformed"),
            ([b"\5\2", b"\1\0", b"\5\5\0\1\0\0\0\0\0\0"], "refused"),
            ([b"\5\2", b"\1\0", b"\5\xff\0\1\0\0\0\0\0\0"], "Malformed"),
        ],
    )
    @BOTH_URLS
    def test_it_answers_in_no_socks(self, answers, says, url):
        pytest.importorskip("socksio")
        with SOCKSProxy(answers=answers) as proxy:
            timeout = Timeouts(connect=0.3) if says == "timed out" else Timeouts()
            error = self.failure(proxy.at("socks5"), url, timeout=timeout)
            assert isinstance(error, ProxyError) and says in str(error)
            for sends in ("raw", "async raw"):
                with pytest.raises(httpx.ProxyError, match=proxy.at("socks5")):
                    ask(url, sends, timeout=timeout)

    @AUTHS
    def test_the_server_behind_it_is_silent(self, auth):
        with (
            HTTPProxy(answer=b"") as silent,
            HTTPProxy({"brood.example:443": silent._port}) as proxy,
        ):
            error = self.failure(proxy.at("http"), auth=auth, timeout=1)
        assert isinstance(error, BroodTimeoutError) and "through the proxy" in str(error)

    def test_nonsense_instead_of_an_answer(self):
        with HTTPProxy(answer=b"220 mail ready\r\n\r\n") as proxy:
            self.environment.setenv("http_proxy", proxy.at("http"))
            with pytest.raises(InvalidResponseError, match="not valid HTTP"):
                ask("http://brood.example")

    @pytest.mark.parametrize("status", [b"407", b"503"])
    def test_what_its_refusal_echoes_is_not_shown(self, status):
        secret = b64encode(b"ada:hunter2")
        with HTTPProxy(answer=b"HTTP/1.1 %b Not %b\r\n\r\n" % (status, secret)) as proxy:
            assert f"it answered {status.decode()}" in str(self.failure(proxy.at("http")))
            with pytest.raises(httpx.ProxyError) as caught:
                ask("https://brood.example", "raw")
            assert secret.decode() not in str(caught.value)

    @each_way
    @pytest.mark.parametrize("fault", ["refusing", "silent", "wrong server", "down"])
    def test_no_frame_holds_the_password(self, sends, fault):
        with TLSServer(context=server_context("other.example")) as server, nobody() as port:
            proxy = {
                "refusing": HTTPProxy(credentials="ada:other"),
                "silent": HTTPProxy(answer=b"HTTP/1.1 200 OK\r\n\r\n"),
                "wrong server": HTTPProxy({"brood.example:443": server.port}),
                "down": HTTPProxy(),
            }[fault]
            place = f"127.0.0.1:{port}" if fault == "down" else proxy.url.removeprefix("http://")
            with proxy, pytest.raises((HatcherException, httpx.HTTPError)) as caught:
                self.environment.setenv("all_proxy", f"http://ada:hunter2@{place}")
                ask("https://brood.example", sends)
        assert not leaks(caught.value, "hunter2", b64encode(b"ada:hunter2").decode())
