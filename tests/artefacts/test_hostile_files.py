"""What no artefact may be: each case is refused by its reader, and by a running server.

One table for both ends. What is refused is an error of hatcher that says what is wrong and what to
do; what the server answers is 400.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from hatcher.artefacts.app import read_app
from hatcher.artefacts.bundle import read_bundle
from hatcher.artefacts.egg import read_egg
from hatcher.artefacts.runtime import read_legacy_runtime, read_runtime
from hatcher.errors import ArtefactError, InvalidApp, InvalidBundle, InvalidEgg, InvalidRuntime
from hatcher.server.runner import BackgroundServer
from hatcher.server.settings import Settings
from hatcher.testing import write_bundle, write_runtime

from .archives import DEPEND, SPEC, archive

ADMIN = ("admin@example.com", "admin-password")
PLATFORM = "rh8-x86_64"
EGG = "Spam-1.0-2.egg"
RUNTIME = "cpython-3.8.17+1-rh8_x86_64-gnu.runtime"
BUNDLE = "tools-1.0.0-1.bundle"
DEEP = 100_000


class Kind(NamedTuple):
    read: Callable[[Path], Any]
    error: type[ArtefactError]
    path: str


KINDS = {
    "egg": Kind(read_egg, InvalidEgg, f"{PLATFORM}/eggs"),
    "runtime": Kind(read_runtime, InvalidRuntime, f"{PLATFORM}/runtimes"),
    "app": Kind(read_app, InvalidApp, f"{PLATFORM}/apps"),
    "bundle": Kind(read_bundle, InvalidBundle, "bundles"),
}


class Case(NamedTuple):
    kind: str
    name: str
    content: bytes


# -- what is in them ------------------------------------------------------------------------------


def patched(content: bytes, offset: int, form: str, value: int, mark: bytes = b"PK\1\2") -> bytes:
    """A zip file of which some header says something else."""
    changed = bytearray(content)
    struct.pack_into(form, changed, content.rindex(mark) + offset, value)
    return bytes(changed)


def overlapping(member: str, description: bytes) -> bytes:
    """A zip file in which a second member of the directory is the first one again."""
    content = archive(description, member)
    begin, end = content.index(b"PK\1\2"), content.rindex(b"PK\5\6")
    entry = content[begin:end]
    other = entry.replace(member.encode(), b"x" * len(member))
    directory = entry + other
    return (
        content[:begin]
        + directory
        + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 2, 2, len(directory), begin, 0)
    )


def understated(member: str, size: int = 4 << 20) -> bytes:
    """A large member of which the directory says that it has 100 bytes."""
    return patched(archive(bytes(size), member), 24, "<L", 100)


def archives(kind: str, name: str, member: str, description: bytes) -> Iterator[tuple[str, Case]]:
    """What is wrong with zip files, whatever is in them."""
    good = archive(description, member)
    stored = archive(description, member, 0)
    for what, content in {
        "empty": b"",
        "no zip": b"no zip",
        "cut": good[:-1],
        "cut early": good[: len(good) // 2],
        "without beginning": good[10:],
        "nothing in it": archive(b"x", "other"),
        "encrypted": patched(good, 8, "<H", 1),
        "strongly encrypted": patched(good, 8, "<H", 0x41),
        "patch data": patched(good, 8, "<H", 0x20),
        "another encrypted": patched(
            archive(description, member, more={"module.py": b""}), 8, "<H", 1
        ),
        "bzip2": archive(description, member, zipfile.ZIP_BZIP2),
        "lzma": archive(description, member, zipfile.ZIP_LZMA),
        "another by lzma": patched(archive(description, member, more={"z.py": b"z"}), 10, "<H", 14),
        "zstd": patched(good, 10, "<H", 93),
        "method 99": patched(good, 10, "<H", 99),
        "stored as deflate": patched(stored, 10, "<H", 8),
        "deflate as stored": patched(good, 10, "<H", 0),
        "wrong size": patched(stored, 24, "<L", 5),
        "larger size": patched(good, 24, "<L", 1 << 19),
        "size of 4 GB": patched(good, 24, "<L", 0xFFFFFFFF),
        "wrong CRC": patched(good, 16, "<L", 1),
        "packed size beyond the end": patched(good, 20, "<L", 1 << 30),
        "offset beyond the end": patched(good, 42, "<L", 1 << 30),
        "offset in zip64, which is missing": patched(good, 42, "<L", 0xFFFFFFFF),
        "another local name": good.replace(member.encode(), b"x" * len(member), 1),
        "damaged content": patched(good, 30 + len(member) + 2, "<H", 0xFFFF, b"PK\3\4"),
        "directory of 4 GB": patched(good, 12, "<L", 0xFFFFFFFE, b"PK\5\6"),
        "directory elsewhere": patched(good, 16, "<L", 5, b"PK\5\6"),
        "directory behind the end": patched(good, 16, "<L", 0xFFFFFFF0, b"PK\5\6"),
        "newer format": patched(good, 6, "<H", 99),
        "twice": archive(description, member, more={member: description}),
        "twice behind NUL": archive(description, member, more={member + "2": description}).replace(
            member.encode() + b"2", member.encode() + b"\0"
        ),
        "overlapping": overlapping(member, description),
        "bomb": archive(bytes(4 << 20), member),
        "much of nothing": archive(description + b"\n" * (4 << 20), member),
        "understated bomb": understated(member),
    }.items():
        yield what, Case(kind, name, content)


def depends() -> Iterator[tuple[str, Case]]:
    """What is wrong with the metadata of eggs."""

    def said(old: str, new: str) -> str:
        assert old in SPEC
        return SPEC.replace(old, new)

    texts: dict[str, str | bytes] = {
        "nothing": "",
        "no name": said("name = 'Spam'\n", ""),
        **{
            f"build {value[:12]}": said("build = 2", f"build = {value}")
            for value in (
                *("True", "False", "1.0", "'1'", "-1", "None", "[2]", "2j", "1e999"),
                *("2**31", "2147483648", "10**5000"),
                "float('nan')",
                "9" * 5000,
                "0x" + "f" * 5000,
            )
        },
        **{
            f"tag {value!r:.20}": said("'cp311'", repr(value))
            for value in (
                *(
                    f"cp311{end}"
                    for end in (" ", "\n", "/..", "\\x", "?x", "#", "%2f", "\0", "\u202e")
                ),
                *("cp 311", "../cp311", "cp\u0663\u0661", "cp311..py3", "cp", ".."),
                "c" * 60 + "311111",
                311,
                True,
                ["cp311"],
                1e300 * 1e300,
            )
        },
        "tag with a surrogate": said("'cp311'", "'cp\\ud800'"),
        "version with a surrogate": said("'1.0'", "'1.0\\ud800'"),
        "package with a surrogate": said("eggs 2.0-1", "eggs\\udfff"),
        "package of 5,000 characters": said("eggs 2.0-1", "e" * 5000),
        "package that is none": said("'eggs 2.0-1'", "7"),
        "packages that are none": said("packages = [", "packages = 7\nothers = ["),
        "ABI with an escape": said("'gnu'", "'gnu\\x1b[2J'"),
        "ABI that is none": said("'gnu'", "7"),
        "name that is none": said("name = 'Spam'", "name = 7"),
        "version that is none": said("'1.0'", "1.0"),
        "metadata version that is none": said("'1.4'", "1.4"),
        "metadata of the future": said("'1.4'", "'2.0'"),
        "metadata version of many digits": said("'1.4'", f"'1.{'4' * 5000}'"),
        "unknown platform": said("RedHat_8", "RedHat_99"),
        "call": said("build = 2", "build = __import__('os').getpid()"),
        "import": "import os\n" + SPEC,
        "targets": said("build = 2", "build, x = 2, 3"),
        "attribute": said("build = 2", "a.build = 2"),
        "NUL": said("'Spam'", "'Sp\0am'"),
        "control characters": said("'1.0'", "'1.0\x1b'"),
        "not UTF-8": said("'Spam'", "'Sp\u00e4m'").encode("latin-1"),
        "UTF-16": SPEC.encode("utf-16"),
        "huge line": SPEC + "x = '" + "x" * 300_000 + "'\n  ",
        "duplicate dictionary": said("build = 2", "build = {[]: 1}"),
        "unfinished": SPEC[:-3],
        **{
            f"deep {what}": f"{SPEC}deep = {text}\n"
            for what, text in {
                "parentheses": "(" * DEEP + ")" * DEEP,
                "lists": "[" * 99 + "]" * 99 + "+" * DEEP,
                "signs": "-" * DEEP + "1",
                "sums": "1" + "+1" * (DEEP // 2),
                "powers": "1" + "**1" * (DEEP // 3),
                "attributes": "a" + ".a" * (DEEP // 2),
                "calls": "a" + "()" * (DEEP // 2),
                "items": "a" + "[0]" * (DEEP // 3),
                "negations": "not " * (DEEP // 4) + "1",
                "functions": "lambda:" * (DEEP // 7) + "1",
            }.items()
        },
    }
    for what, text in texts.items():
        yield what, Case("egg", EGG, archive(text))
    for called, version, build in (
        *(("Spam", version, 2) for version in ("1.0 ", " 1.0", "1.0\n", "1.0\u202e", "1.0\\")),
        *(("Spam", "1.0\x7f", 2), ("Spam", "1" * 201, 2), ("Spam", "1.0", 99999999999)),
        *(("..", "1.0", 2), ("s" * 201, "1.0", 2)),
    ):
        name = f"{called}-{version}-{build}.egg"
        text = said("'Spam'", repr(called)).replace("'1.0'", repr(version))
        text = text.replace("build = 2", f"build = {build}")
        yield f"called {name[:20]!r}", Case("egg", name, archive(text))


def runtimes(folder: Path) -> Iterator[tuple[str, Case]]:
    """What is wrong with the descriptions of runtimes."""
    member = "enthought/runtime.json"
    with zipfile.ZipFile(write_runtime(folder)) as written:
        good = written.read(member)
    document = json.loads(good)
    yield from archives("runtime", RUNTIME, member, good)
    for key in document:
        for value in (None, 7, True, 1.5, [], {}, [None], "\ud800", "a\0b"):
            if value == [] and key in ("paths", "post_install"):
                continue
            wrong = json.dumps({**document, key: value})
            yield f"{key} {value!r}", Case("runtime", RUNTIME, archive(wrong, member))
        less = {name: value for name, value in document.items() if name != key}
        yield f"no {key}", Case("runtime", RUNTIME, archive(json.dumps(less), member))
    for key, value in {
        "version": "3.8\n.17+1",
        "platform": "rh99_x86_64",
        "abi": "g/nu",
        "implementation": "ruby",
        "metadata_version": "1." + "0" * 5000,
        "language_version": "9" * 5000,
        "build_revision": "x" * 500,
    }.items():
        wrong = json.dumps({**document, key: value})
        yield f"{key} {value!r:.20}", Case("runtime", RUNTIME, archive(wrong, member))
    for what, text in jsons(good.decode()).items():
        yield what, Case("runtime", RUNTIME, archive(text, member))


def jsons(good: str) -> dict[str, bytes | str]:
    """What is wrong with JSON, whatever it says."""
    more = good.rstrip().removesuffix("}")
    return {
        "no JSON": "{",
        "a list": "[]",
        "a text": '"text"',
        "null": "null",
        "NaN": more + ', "more": NaN}',
        "infinity": more + ', "more": -Infinity}',
        "1e999": more + ', "more": 1e999}',
        "many digits": more + f', "more": {"9" * 5000}}}',
        "more than 64 bits": more + ', "more": 9223372036854775808}',
        "half a character": more + ', "more": ["\\ud800"]}',
        "half a character as a key": more + ', "more": {"\\udfff": 1}}',
        "NUL": more + ', "more": "\\u0000"}',
        "deep": more + f', "more": {"[" * DEEP}{"]" * DEEP}}}',
        "deep by 200": more + f', "more": {"[" * 200}{"]" * 200}}}',
        "deep objects": more + ', "more": ' + '{"a":' * 5000 + "1" + "}" * 5001,
        "not UTF-8": good.encode().replace(b"cpython", b"c\xffython"),
        "UTF-16": good.encode("utf-16"),
        "surrogates in UTF-8": good.encode().replace(b"cpython", b"c\xed\xa0\x80python"),
        "two documents": good + good,
    }


#: What is not wrong there.
TAKEN = tuple((key, ([7], {"a": 7})) for key in ("repositories", "modifiers"))

#: Versions and builds that no bundle has.
LONG = (f"tools-{'1' * 201}-1", "tools-1.0-99999999999")

#: What nothing that a bundle names may be called.
ODD = (7, True, [], {}, "a\nb", "a\0", "\ud800", "x" * 201)


def bundles(folder: Path) -> Iterator[tuple[str, Case]]:
    """What is wrong with bundles."""
    required = {"name": "numpy", "version": "1.26.4-1", "sha256": "00", "repository": "acme/dev"}
    good = write_bundle(folder, requirements=[required]).read_text("utf-8")
    document = json.loads(good)
    wrong: dict[str, Any] = {}
    for key in ("metadata_version", "runtime", "requirements", "repositories", "modifiers"):
        for value in (True, [7], {"a": 7}, "text", 7):
            wrong[f"{key} {value!r}"] = {**document, key: value}
    for key, fine in (("metadata_version", ("text", 7, True)), *TAKEN):
        for value in fine:
            del wrong[f"{key} {value!r}"]
    for key in ("implementation", "platform", "version"):
        for value in (*ODD, None, "", " ", "a/b", ".."):
            runtime = {**document["runtime"], key: value}
            wrong[f"runtime {key} {value!r:.10}"] = {**document, "runtime": runtime}
    for key in required:
        for value in ODD:
            wrong[f"requirement {key} {value!r:.10}"] = {
                **document,
                "requirements": [required, {**required, key: value}],
            }
    for what, value in wrong.items():
        yield what, Case("bundle", BUNDLE, json.dumps(value).encode())
    for what, text in jsons(good).items():
        yield what, Case("bundle", BUNDLE, text if isinstance(text, bytes) else text.encode())
    for called in ("..-1.0-1", "tools- 1.0-1", "tools-1.0\u202e-1", f"{'t' * 201}-1.0-1", *LONG):
        yield f"called {called[:20]!r}", Case("bundle", f"{called}.bundle", good.encode())


APP = """\
id: com.acme.viewer
version: 1.10
build: 2
python_tag: cp311
platform: rh8-x86_64
"""


def apps() -> Iterator[tuple[str, Case]]:
    """What is wrong with apps."""
    texts: dict[str, str | bytes] = {
        f"more {value[:25]!r}": f"{APP}more: {value}\n"
        for value in (
            "2024-99-99",
            "2024-02-30T25:61:61Z",
            "!!binary aGVsbG8=",
            "!!binary x",
            "!!timestamp never",
            "!!set {a, b}",
            "!!omap [a: 1]",
            "!!pairs [a: 1]",
            "!!python/object/apply:os.getcwd []",
            "!!python/name:os.getcwd",
            "!!python/tuple [1]",
            "!!int ''",
            "!!int x",
            "!!float x",
            "!!bool x",
            "!own x",
            "=",
            ".nan",
            "-.inf",
            "1.0e+999",
            "1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16",
            "1" + ":59" * 50_000,
            "9" * 5000,
            "0x" + "f" * 5000,
            "0b" + "1" * 5000,
            "9223372036854775808",
            '"\\ud800"',
            '{"\\udfff": 1}',
            '"\\U00110000"',
            '"\\0"',
            '"\\q"',
            "{1: a}",
            "{1.5: a}",
            "{null: a}",
            "{on: a}",
            "{2024-01-01: a}",
            "{[a]: b}",
            "{{a: b}: c}",
            "{? [a, b] : c}",
            "{a: 1, a: 2}",
            "{<<: {a: 1}}",
            "&a [x, *a]",
            "&a {x: *a}",
            "[&a x, *a]",
            "*unknown",
            "[" * DEEP,
            "[" * 200 + "]" * 200,
            "{a: " * 200 + "1" + "}" * 200,
            "\tx: y\n\t- a",
            "@x",
            "%x",
            "`x",
            "[a",
            "'a",
        )
    }
    texts |= {
        "nothing": "",
        "a list": "- a\n",
        "a text": "text",
        "two documents": f"{APP}---\n{APP}",
        "tab": APP.replace("build: 2", "\tbuild: 2"),
        "twice": APP + "id: other\n",
        "key that is none": APP + "7: a\n",
        "laughs": "a: &a [x, x]\n"
        + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{f'*{chr(97 + n)}, ' * 9}]\n" for n in range(20))
        + APP,
        "deep blocks": APP + "more:\n" + "".join(" " * n + "- \n" for n in range(1, 500)),
        "nested dashes": APP + "more:\n" + "- " * 5000 + "a\n",
        "large": APP + "more: " + "x" * (2 << 20) + "\n",
        "NUL": APP.replace("viewer", "view\0er"),
        "escape": APP.replace("viewer", "view\x1ber"),
        "not UTF-8": APP.encode().replace(b"viewer", b"view\xffer"),
        "surrogate in UTF-8": APP.encode().replace(b"viewer", b"view\xed\xa0\x80er"),
        "no id": APP.replace("id: com.acme.viewer\n", ""),
        "no version": APP.replace("version: 1.10\n", ""),
        "null id": APP.replace("com.acme.viewer", "null"),
        "empty version": APP.replace("1.10", "''"),
    }
    for key, old, values in (
        (
            "id",
            "com.acme.viewer",
            ("a/b", "..", ".", "'a '", "[a]", "{a: b}", '"a\\nb"', "a" * 201),
        ),
        ("version", "1.10", ("1/2", "'1 '", "[1]", '"1\\x1b"', '"1\\u202e"', "1" * 201, "1.0-x")),
        ("build", "build: 2", ("two", "-1", "1.0", "1e3", "True", "2147483648", "9" * 30, "[1]x")),
        (
            "python_tag",
            "cp311",
            ("cp 38", "cp38/..", "c", "..", '"cp38\\n"', "a1" * 33, "cp\u0663"),
        ),
        ("platform", "rh8-x86_64", ("'rh8/x86_64'", '"rh8-x86_64\\n"', "'..'", "x" * 201)),
    ):
        for value in values:
            new = f"build: {value}" if key == "build" else value
            texts[f"{key} {value[:10]!r}"] = APP.replace(old, new)
    for what, text in texts.items():
        yield what, Case("app", "a.yaml", text if isinstance(text, bytes) else text.encode())


def every_case() -> dict[str, Case]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        each = {
            "egg": (*archives("egg", EGG, DEPEND, SPEC.encode()), *depends()),
            "runtime": tuple(runtimes(folder)),
            "app": tuple(apps()),
            "bundle": tuple(bundles(folder)),
        }
    return {f"{kind}: {what}": case for kind, cases in each.items() for what, case in cases}


CASES = every_case()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    data = tmp_path_factory.mktemp("hostile") / "brood"
    settings = Settings(data=data, port=0, admin=ADMIN[0], admin_password=ADMIN[1])
    with (
        BackgroundServer(settings) as server,
        httpx.Client(base_url=f"{server.url}/api/v1/json", auth=ADMIN, timeout=60) as made,
    ):
        made.post("/admin/organizations", json={"name": "acme", "description": ""})
        made.post("/admin/organizations/acme/repositories", json={"name": "dev", "description": ""})
        yield made


def upload(client: httpx.Client, case: Case) -> httpx.Response:
    data: dict[str, Any] = {"sha256": hashlib.sha256(case.content).hexdigest()}
    if case.kind == "bundle":
        name, version, build = case.name.removesuffix(".bundle").rsplit("-", 2)
        data |= {"bundle_name": name, "bundle_version": version, "bundle_build": int(build)}
    parts = [
        ("file", (case.name, case.content, "application/octet-stream")),
        ("data", ("", json.dumps(data), "application/json")),
    ]
    return client.post(f"/data/acme/dev/{KINDS[case.kind].path}/upload", files=parts)


def read(case: Case, folder: Path) -> Any:
    path = folder / case.name
    path.write_bytes(case.content)
    return KINDS[case.kind].read(path)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_its_reader_refuses_it(case, tmp_path):
    with pytest.raises(KINDS[case.kind].error) as caught:
        read(case, tmp_path)
    assert type(caught.value) is KINDS[case.kind].error
    assert caught.value.what and caught.value.advice
    assert len(str(caught.value).encode()) < 2000


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_server_refuses_it(case, client):
    answer = upload(client, case)
    assert answer.status_code == 400, answer.text
    assert len(answer.json()["error"]) < 2000


def spec(**values: object) -> bytes:
    text = SPEC
    for key, value in values.items():
        text = re.sub(rf"(?m)^{key} = .*$", lambda _: f"{key} = {value!r}", text)  # noqa: B023
    return archive(text)


FINE = {
    "the egg": Case("egg", EGG, archive(SPEC)),
    "an egg that is not packed": Case("egg", EGG, archive(SPEC, method=0)),
    "an egg behind a script": Case("egg", EGG, b"#!/bin/sh\n" + archive(SPEC)),
    "an egg with dates of the future": Case(
        "egg", EGG, archive(SPEC + "later = {'a': [1, 2.5]}\n")
    ),
    "an egg of older words": Case("egg", EGG, spec(metadata_version="1.3")),
    "the largest build": Case("egg", "Spam-1.0-2147483647.egg", spec(build=2**31 - 1)),
    "the longest tag": Case("egg", EGG, spec(python_tag="cp" + "3" * 62)),
    "the longest version": Case("egg", f"Spam-{'1' * 200}-2.egg", spec(version="1" * 200)),
    "an egg in NFD": Case("egg", "Spa\u0308m-1.0-2.egg", spec(name="Sp\u00e4m")),
    "an egg in NFD inside too": Case("egg", "Spo\u0308m-1.0-2.egg", spec(name="Spo\u0308m")),
    "an app": Case("app", "a.yaml", APP.encode()),
    "an app with dates": Case(
        "app", "a.yaml", f"{APP}more: [2024-02-29, 2024-02-29 1:02:03]".encode()
    ),
    "an app of Windows": Case(
        "app", "a.yaml", b"\xef\xbb\xbf" + APP.replace("\n", "\r\n").encode()
    ),
    "an app with large numbers": Case(
        "app",
        "a.yaml",
        f"{APP}more: [9223372036854775807, 1.7e+308, {'[' * 90}{']' * 90}]".encode(),
    ),
    "a bundle of Windows": Case(
        "bundle",
        BUNDLE,
        b"\xef\xbb\xbf" + b'{"runtime": {"implementation": "cpython", "platform": "rh8_x86_64", '
        b'"version": "3.8"}, "requirements": [{"name": "a", "version": "1-1"}], "more": "\\\\u0000"}',
    ),
}


@pytest.mark.parametrize("case", FINE.values(), ids=FINE)
def test_what_is_right_is_taken(case, client, tmp_path):
    read(case, tmp_path)
    assert upload(client, case).status_code in (201, 409)


def test_an_understated_bomb_does_not_explode(tmp_path):
    """A directory that says 100 bytes is no reason to unpack all that there is."""
    path = tmp_path / EGG
    path.write_bytes(understated(DEPEND, 256 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(InvalidEgg):
            read_egg(path)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "name",
    [
        "python_runtime_2.7.10_6.0.0_rh5-64_99999999999.zip",
        "python_runtime_ 2.7.10_6.0.0_rh5-64_1.zip",
        "python_runtime_2.7.10_6\n_rh5-64_1.zip",
        "python_runtime_2.7.10_6.0.0_rh5\u202e_1.zip",
        "python_runtime_2.7.10_6.0.0_.._1.zip",
        "py\x1bthon_runtime_2.7.10_6.0.0_rh5-64_1.zip",
        f"python_runtime_{'1' * 201}_6.0.0_rh5-64_1.zip",
        "python_runtime_2.7.10_6.0.0_rh5-64_\u0663.zip",
    ],
)
def test_what_no_runtime_of_version_0_is_called(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(archive("x", "bin/python"))
    with pytest.raises(InvalidRuntime) as caught:
        read_legacy_runtime(path)
    assert caught.value.what and caught.value.advice


def test_a_build_is_no_truth_value(tmp_path):
    """`True` is 1 to Python, but the build of an egg that is called so is not."""
    egg = tmp_path / "Spam-1.0-1.egg"
    for build, is_fine in (("1", True), ("True", False)):
        text = SPEC.replace("build = 2", f"build = {build}")
        egg.write_bytes(archive(text.encode(), "EGG-INFO/spec/depend"))
        if is_fine:
            assert read_egg(egg).build == 1
        else:
            with pytest.raises(InvalidEgg, match="build"):
                read_egg(egg)
