"""What reads files, names, URLs and answers: nothing but errors of hatcher's comes out of it."""

from __future__ import annotations

import gzip
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import click
import pytest
from hypothesis import strategies as st

from hatcher import endpoints
from hatcher.api import BroodClient
from hatcher.artefacts.app import read_app
from hatcher.artefacts.bundle import read_bundle
from hatcher.artefacts.egg import read_egg
from hatcher.artefacts.requirements import Requirement
from hatcher.artefacts.runtime import read_legacy_runtime, read_runtime
from hatcher.characters import all_show
from hatcher.cli.settings.profiles import VARIABLE, read_config
from hatcher.errors import HatcherException
from hatcher.mirror.layout import parse
from hatcher.mirror.manifests import read_manifest
from hatcher.testing import (
    write_app,
    write_bundle,
    write_egg,
    write_legacy_runtime,
    write_runtime,
)
from hatcher.transport import answers, parsing
from hatcher.transport.channel import Outgoing

from . import odd


class Target(NamedTuple):
    """Something to be fed: what with, and the test of one input."""

    name: str
    inputs: st.SearchStrategy[Any]
    check: Callable[[Any], None]


@contextmanager
def own_errors() -> Iterator[None]:
    """Let errors of hatcher's pass; they must be sentences that can be written down."""
    try:
        yield
    except HatcherException as error:
        assert str(error).strip()


def _samples(make: Callable[[Path], Path]) -> tuple[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = make(Path(folder))
        return path.name, path.read_bytes()


def _can_be_reached(*names: str | None) -> None:
    for name in names:
        assert name is None or (all_show(name) and "/" not in name and name not in ("", ".", ".."))


def _reader(
    read: Callable[[Path], Any], name: str, names_of: Callable[[Any], tuple[str | None, ...]]
) -> Callable[[bytes], None]:
    def check(content: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(content)
            with own_errors():
                _can_be_reached(*names_of(read(path)))

    return check


_EGG, _EGG_BYTES = _samples(
    lambda folder: write_egg(folder, "nose", "1.3.0", python_tag="cp311", packages=["MKL 2017.0"])
)
_RUNTIME, _RUNTIME_BYTES = _samples(write_runtime)
_LEGACY, _LEGACY_BYTES = _samples(write_legacy_runtime)
_BUNDLE, _BUNDLE_BYTES = _samples(
    lambda folder: write_bundle(
        folder,
        requirements=[
            {"name": "nose", "version": "1.3.0-1", "sha256": "0" * 64, "repository": "acme/dev"}
        ],
    )
)
_APP, _APP_BYTES = _samples(write_app)


def _members(content: bytes) -> dict[str, bytes]:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        with zipfile.ZipFile(file) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


def _egg_with(depend: bytes) -> bytes:
    return odd.as_zip(*{**_members(_EGG_BYTES), "EGG-INFO/spec/depend": depend}.items())


def _runtime_with(document: Any) -> bytes:
    return odd.as_zip(("enthought/runtime.json", odd.as_json(document)))


_DEPEND = _members(_EGG_BYTES)["EGG-INFO/spec/depend"].decode()
_RUNTIME_DOCUMENT = json.loads(_members(_RUNTIME_BYTES)["enthought/runtime.json"])
_YAMLS = (
    _APP_BYTES,
    b"id: a\nversion: 1.10\nbuild: 2\nplatform: rh8_x86_64\npython_tag: cp38\n",
    b"&a [*a]",
    b"a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    b"!!python/object:os.system {}",
    b"!!timestamp 2024-99-99",
    b"? [1, 2]\n: 3\n",
    b"{" * 2000,
    b"[" * 2000,
    b"build: 190:20:30\nversion: 0o7_7\n",
)

_MANIFEST = {
    "format": "hatcher manifest",
    "version": 1,
    "entries": {
        "v1/acme/dev/rh8-x86_64/eggs/none/nose-1.3.0-1.egg": {"sha256": "0" * 64, "size": 3}
    },
}


def _check_name(name: str) -> None:
    with own_errors():
        request = endpoints.request(
            1,
            "get_egg_metadata",
            {"organization": name, "repository": "dev", "platform": "rh8-x86_64"},
            python_tag="none",
            name=name,
            version="1.0-1",
        )
        assert name in map(unquote, request.path.split("/"))
        assert request.path.isascii() and all_show(request.path)
    with own_errors():
        BroodClient.from_url("http://127.0.0.1:1").at(name)


def _check_search(given: tuple[str, str]) -> None:
    asked, there = given
    with own_errors():
        requirement = Requirement(asked)
        requirement.takes_name(there)
        requirement.takes_version(there)


def _check_url(url: str) -> None:
    with own_errors():
        client = BroodClient.from_url(url)
        client.close()


def _check_answer(given: tuple[int, dict[str, str], bytes]) -> None:
    status, headers, content = given
    sent = Outgoing("GET", ("http", "127.0.0.1", 1), "/x", {}, operation="list_platforms")
    with own_errors():
        answers.parse_json(sent, parsing.loads, headers, content)
    str(answers.http_error(sent, status, headers, content))


def _check_config(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder, "config.toml")
        path.write_text(text, "utf-8", "surrogatepass")
        patch.setenv(VARIABLE, str(path))
        try:
            config = read_config()
            for profile in config.profiles.values():
                profile.verify_ssl()
        except (HatcherException, click.ClickException) as error:
            assert str(error)


def _check_path(path: str) -> None:
    with own_errors():
        location = parse(path)
        assert location.below(Path("/root")).is_relative_to("/root")


_HEADERS = st.dictionaries(
    st.sampled_from(("Content-Type", "Retry-After", "X-Request-ID", "Content-Encoding", "Date")),
    odd.texts | st.sampled_from(("application/json", "text/html; charset=odd", "9" * 400)),
)
_JSONS = (
    b'{"error": "no"}',
    b'{"platforms": []}',
    b"\xef\xbb\xbf{}",
    b"[" * 5000,
    b'{"a": 1e999, "b": NaN}',
    b'"\\ud800"',
    b"9" * 5000,
    gzip.compress(b'{"platforms": []}'),
)

TARGETS = (
    Target(
        "eggs",
        odd.changed_bytes([_EGG_BYTES]) | odd.descriptions(_DEPEND).map(_egg_with),
        _reader(read_egg, _EGG, lambda egg: (egg.name, egg.version, egg.python_tag, egg.platform)),
    ),
    Target(
        "runtimes",
        odd.changed_bytes([_RUNTIME_BYTES])
        | odd.changed_documents(_RUNTIME_DOCUMENT).map(_runtime_with),
        _reader(read_runtime, _RUNTIME, lambda found: (found.implementation, str(found.version))),
    ),
    Target(
        "legacy runtimes",
        odd.changed_bytes([_LEGACY_BYTES]),
        _reader(read_legacy_runtime, _LEGACY, lambda found: (found.version, found.platform)),
    ),
    Target(
        "bundles",
        odd.changed_bytes([_BUNDLE_BYTES])
        | odd.changed_documents(json.loads(_BUNDLE_BYTES)).map(odd.as_json),
        _reader(read_bundle, _BUNDLE, lambda found: (found.name, found.version)),
    ),
    Target(
        "apps",
        odd.changed_bytes(_YAMLS) | odd.changed_documents(json.loads(_APP_BYTES)).map(odd.as_json),
        _reader(read_app, _APP, lambda found: ()),
    ),
    Target(
        "manifests",
        odd.changed_bytes([odd.as_json(_MANIFEST)])
        | odd.changed_documents(_MANIFEST).map(odd.as_json),
        _reader(read_manifest, "manifest.json", lambda found: ()),
    ),
    Target("names", odd.texts, _check_name),
    Target(
        "searches",
        st.tuples(
            odd.texts
            | st.tuples(st.sampled_from(("n>=", "n*==", "n!=1,~=", "n<")), odd.texts).map("".join)
            | odd.changed_bytes([b"numpy>=1.26.4-1,<2.0rc1,!=1.*"]).map(
                lambda text: text.decode("utf-8", "surrogateescape")
            ),
            odd.texts | st.from_regex(r"\A[0-9]{1,3}([.][0-9a-z]{0,5}){0,3}-[0-9]\Z"),
        ),
        _check_search,
    ),
    Target(
        "URLs",
        odd.texts
        | st.sampled_from(
            (
                "http://[::1",
                "http://a:99999999",
                "https://\ud800.com",
                "http://é.com",
                "http://[v1.x]",
            )
        )
        | odd.changed_bytes([b"https://ada:secret@brood.example.com:8443/prefix?x#y"]).map(
            lambda url: url.decode("utf-8", "surrogateescape")
        ),
        _check_url,
    ),
    Target(
        "answers",
        st.tuples(st.integers(100, 999), _HEADERS, odd.changed_bytes(_JSONS)),
        _check_answer,
    ),
    Target(
        "configurations",
        odd.texts
        | odd.changed_bytes(
            [b'profile = "work"\n[profiles.work]\nurl = "https://a"\nca_file = "x"\n']
        ).map(lambda text: text.decode("utf-8", "surrogateescape")),
        _check_config,
    ),
    Target(
        "paths of a mirror",
        odd.texts
        | st.lists(odd.texts | st.sampled_from(("v1", "eggs", "acme", "none")), max_size=8).map(
            "/".join
        ),
        _check_path,
    ),
)
