"""Names that servers give to files: that of what was asked for is taken, all others are refused."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable

import pytest

from hatcher.characters import all_show, shown
from hatcher.errors import HatcherException, MissingFilenameError
from hatcher.server.downloads import content_disposition
from hatcher.testing import Answer, ScriptedServer
from hatcher.transfer.filenames import filename_from, server_filename

from .common import JSON, platform_at

CONTENT = b"what is asked for"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def anything(name: str) -> bool:
    return True


def name_in(header: str, is_called: Callable[[str], bool] = anything) -> str:
    return filename_from({"Content-Disposition": header}, is_called)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="nose-1.3.0-1.egg"', "nose-1.3.0-1.egg"),
        ("attachment; filename=nose-1.3.0-1.egg", "nose-1.3.0-1.egg"),
        ("attachment;filename = nose-1.3.0-1.egg ; size=3;", "nose-1.3.0-1.egg"),
        ('inline; FileName="nose-1.3.0-1.egg"', "nose-1.3.0-1.egg"),
        ('attachment; filename="a b;c.egg"', "a b;c.egg"),
        (r'attachment; filename="a\b\+.egg"', "ab+.egg"),
        ('attachment; filename="Nose-1.0+x-1.egg"', "Nose-1.0+x-1.egg"),
        ('attachment; filename="a.egg"; filename="a.egg"', "a.egg"),
        # The extended form says it better, wherever it stands.
        ("attachment; filename*=UTF-8''%C3%A4-1-1.egg", "ä-1-1.egg"),
        ("attachment; filename=\"_-1-1.egg\"; filename*=UTF-8''%C3%A9-1-1.egg", "é-1-1.egg"),
        ("attachment; filename*=utf-8'en'%C3%A9-1-1.egg; filename=\"_-1-1.egg\"", "é-1-1.egg"),
        ("attachment; filename*=ISO-8859-1''%E9-1-1.egg", "é-1-1.egg"),
        # What is broken in it leaves the plain form.
        ("attachment; filename=a.egg; filename*=UTF-8''%E9.egg", "a.egg"),
        ("attachment; filename=a.egg; filename*=UTF-8''%zz.egg", "a.egg"),
        ("attachment; filename=a.egg; filename*=klingon''%41.egg", "a.egg"),
        ("attachment; filename=a.egg; filename*=a.egg", "a.egg"),
        # UTF-8 and Latin-1, as bytes of a header arrive.
        ('attachment; filename="\xc3\xa9.egg"', "é.egg"),
        ('attachment; filename="\xe9.egg"', "é.egg"),
        ('attachment; filename="é.egg"', "é.egg"),
        ('attachment; filename="\u4e2d.egg"', "\u4e2d.egg"),
    ],
)
def test_a_bare_name_is_taken(header, name):
    assert name_in(header) == name


@pytest.mark.parametrize(
    "name", ["é-1.0.0-1.egg", "è-1.0.0-1.egg", 'a"b\\c', "100%-1-1.egg", "a'b"]
)
def test_what_our_server_says_is_understood(name):
    header = content_disposition(name)
    if '"' in name:
        with pytest.raises(MissingFilenameError):
            name_in(header)
    else:
        assert name_in(header) == name


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "..",
        ".",
        "/etc/passwd",
        "a/b",
        "..\\\\x",
        "C:\\\\x",
        "c:x",
        "a\x00b",
        "",
        " ",
        "con|x",
        "%2e%2e/x",
        "..egg",
        ".bashrc",
        ".hidden-1-1.egg",
        "a\x85b",
        "a\x1b[2Jb.egg",
        "a\u202eb.egg",
        "a\u200bb.egg",
        "a\u00a0b.egg",
        "\ufeffa.egg",
        "a\u2028b.egg",
        "a\ud800b.egg",
        "CON",
        "con.egg",
        "Nul.1-1.egg",
        "COM1.egg",
        "lpt9.x.egg",
        "com¹.egg",
        "aux .egg",
        "a.egg.",
        "a.egg ",
        "ü" * 126 + ".egg",
        "a" * 252 + ".egg",
    ],
)
def test_a_name_that_is_not_safe_everywhere_is_refused(name):
    with pytest.raises(MissingFilenameError) as caught:
        server_filename(name, "The name", anything)
    assert shown(caught.value.what) == caught.value.what and len(str(caught.value)) < 500
    with pytest.raises(MissingFilenameError):
        name_in(f'attachment; filename="{name}"')
    with pytest.raises(MissingFilenameError):
        quoted = "".join(f"%{byte:02X}" for byte in name.encode("utf-8", "surrogatepass"))
        name_in(f"attachment; filename*=UTF-8''{quoted}")


def test_names_that_only_look_reserved_are_taken():
    for name in ("console-1-1.egg", "con-1-1.egg", "com10.egg", "x.con.egg", "ü" * 125 + ".egg"):
        assert server_filename(name, "The name", anything) == name


@pytest.mark.parametrize(
    "header",
    [
        "attachment",
        "",
        ";",
        "attachment; filename",
        "attachment; filename=",
        'attachment; filename=""',
        'attachment; filename="a.egg',
        'attachment; filename="a.egg"b',
        "attachment; filename*10*=UTF-8''a.egg",
        "attachment; filename*0*=UTF-8''a; filename*1=.egg",
        'attachment; filename*0="a"; filename*1=".egg"',
        "attachment; filename*10*",
        "attachment; filename*=",
        "attachment; filename*='",
        "attachment; filename*=UTF-8''",
        "attachment; filename*=UTF-8''%",
        "attachment; filename*=UTF-8''%C3",
        "attachment; filename*=UTF-8''a%2Fb",
        "attachment; filename*=utf-7''+AC8-.egg",
        "attachment; filename*=base64''YQ==",
        "attachment; filename=a.egg; filename=b.egg",
        "attachment; filename*=UTF-8''a.egg; filename*=UTF-8''b.egg",
        "attachment; filename=a\x85b",
        "attachment; fi\x85le=x; filename=a\x0bb",
        "attachment; filename==?utf-8?q?a=2Eegg?=;=",
        "attachment; " + "a=b; " * 12_000,
        "attachment; filename=" + "a" * 60_000,
        'attachment; filename="' + '\\"' * 30_000,
        "attachment; filename*=UTF-8''" + "%41" * 20_000,
        "attachment; filename*" + "*" * 60_000 + "=a",
    ],
)
def test_an_odd_header_is_an_error_of_ours(header):
    with pytest.raises(MissingFilenameError) as caught:
        name_in(header)
    assert len(str(caught.value)) < 1000


def test_whatever_a_header_says():
    """It is a name, or an error of ours: never another exception."""
    dice = random.Random(1)
    signs = ["filename", "filename*", "=", ";", '"', "\\", "UTF-8''", "%", "%41", "a.egg", " "]
    signs += [*"'\x85\xe9\u202e\ud800\x00\té./", "*0", "=?", "?="]
    for _ in range(20_000):
        header = "attachment; " + "".join(dice.choices(signs, k=dice.randrange(1, 12)))
        try:
            name = name_in(header)
        except MissingFilenameError:
            continue
        assert all_show(name) and not set(name) & set("/\\")


@pytest.mark.parametrize("headers", [{}, {"Content-Disposition": "attachment"}])
def test_no_name_is_an_error_that_says_what_to_do(headers):
    with pytest.raises(MissingFilenameError, match="`filename` argument"):
        filename_from(headers, anything)


# -- what was asked for --------------------------------------------------------------------


def named(name: str) -> dict[str, str]:
    return {"Content-Disposition": content_disposition(name)}


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("nose", "nose-1.3.0-1.egg"),
        ("nose", "Nose-1.3.0-1.egg"),
        ("é", "é-1.3.0-1.egg"),
        ("é", "e\u0301-1.3.0-1.egg"),
        ("e\u0301", "É-1.3.0-1.egg"),
        ("ü" * 100, "ü" * 100 + "-1.3.0-1.egg"),
    ],
)
def test_an_egg_is_called_as_it_was_asked_for(asked, name, tmp_path):
    with ScriptedServer(Answer(200, named(name), CONTENT)) as server:
        platform_at(server.url).download_egg("cp311", asked, "1.3.0-1", tmp_path, SHA256)
    assert [path.name for path in tmp_path.iterdir()] == [name]


PRECIOUS = [".bashrc", "Makefile", "setup.py", "conftest.py", "nose-1.3.0-1.py", "nose.egg"]
OTHERS = ["nose-1.3.0-2.egg", "nose-1.3-1.egg", "nosy-1.3.0-1.egg", "no-se-1.3.0-1.egg"]
OTHERS += ["nose-1.3.0-1.egg.egg", "nose-1.3.0-1.EGG", "xnose-1.3.0-1.egg", "-1.3.0-1.egg"]


@pytest.mark.parametrize("name", PRECIOUS + OTHERS)
def test_an_egg_replaces_nothing_else(name, tmp_path):
    (tmp_path / name).write_text("precious")
    with ScriptedServer(Answer(200, named(name), CONTENT)) as server:
        node = platform_at(server.url)
        with pytest.raises(MissingFilenameError):
            node.download_egg("cp311", "nose", "1.3.0-1", tmp_path, SHA256)
        with pytest.raises(MissingFilenameError):
            node.iter_download_egg("cp311", "nose", "1.3.0-1", tmp_path, SHA256)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "precious"


@pytest.mark.parametrize("name", ["Makefile", "setup.py", "makefile", "nose"])
def test_an_egg_that_is_called_so_itself_neither(name, tmp_path):
    answer = Answer(200, named(name), CONTENT)
    with ScriptedServer(answer) as server, pytest.raises(MissingFilenameError):
        platform_at(server.url).download_egg("cp311", name, "1.3.0-1", tmp_path, SHA256)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("version", "asked", "name", "is_right"),
    [
        (1, ("cpython", "3.8.17+1"), "cpython-3.8.17+1-rh8_x86_64-gnu.runtime", True),
        (1, ("cpython", "3.8.17+1"), "cpython-3.8.17+1.runtime", True),
        (1, ("cpython", "3.8.17+1"), "cpython-3.8.17+12-rh8_x86_64-gnu.runtime", False),
        (1, ("cpython", "3.8.17+1"), "pypy-3.8.17+1-rh8_x86_64-gnu.runtime", False),
        (1, ("cpython", "3.8.17+1"), "cpython-3.8.17+1-rh8_x86_64-gnu.egg", False),
        (1, ("cpython", "3.8.17+1"), "setup.py", False),
        (1, ("cpython", "3.8.17+1"), ".runtime", False),
        (0, ("cp27", "2.7.10-1"), "python_runtime_2.7.10_6.0.0_rh5-64_1.zip", True),
        (0, ("cp27", "2.7.10-1"), "python_runtime_2.7.10_6.0.0_rh5-64_2.zip", False),
        (0, ("cp27", "2.7.10-1"), "python_runtime_2.7.1_6.0.0_rh5-64_1.zip", False),
        (0, ("cp27", "2.7.10-1"), "python_runtime_2.7.10_6.0.0_rh5-64_1.py", False),
    ],
)
def test_a_runtime_is_called_as_it_was_asked_for(version, asked, name, is_right, tmp_path):
    with ScriptedServer(Answer(200, named(name), CONTENT)) as server:
        node = platform_at(server.url, api_version=version)
        if is_right:
            node.download_runtime(*asked, tmp_path, SHA256)
        else:
            with pytest.raises(MissingFilenameError):
                node.download_runtime(*asked, tmp_path, SHA256)
    assert [path.name for path in tmp_path.iterdir()] == [name] * is_right


def test_the_users_own_name_is_any_bare_one(tmp_path):
    with ScriptedServer(Answer(200, named("nose-1.3.0-1.egg"), CONTENT)) as server:
        node = platform_at(server.url)
        for name in (".nose", "setup.py", "nose"):
            node.download_egg("cp311", "nose", "1.3.0-1", tmp_path, SHA256, name)
            assert (tmp_path / name).read_bytes() == CONTENT
        for name in ("../x", "a/b", "", ".", "x" * 300):
            with pytest.raises(HatcherException):
                node.download_egg("cp311", "nose", "1.3.0-1", tmp_path, SHA256, name)
    assert len(list(tmp_path.iterdir())) == 3


def test_an_index_of_bundles_says_no_names_of_folders(tmp_path):
    entry = b'{"cp38": {"../x": {"1.0": {"1": {"python_tag": "cp38", "name": "%s", '
    entry += b'"full_version": "1.0-1"}}}}}'
    for name in (b"../x", b".bashrc", b"a\\u202eb", b"a\\u001bb"):
        answer = Answer(200, JSON, entry % name)
        with ScriptedServer(answer) as server:
            report = platform_at(server.url).download_bundles(tmp_path)
            assert [type(result.error) for result in report.results] == [MissingFilenameError]
            assert len(server.requests) == 1
    assert list(tmp_path.iterdir()) == []
