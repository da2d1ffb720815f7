"""Large indices, whose entries are read when they are looked at: a dict in every way."""

import copy
import gzip
import json
import pickle
import pprint
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from hatcher.api import BroodClient
from hatcher.core.index import Index
from hatcher.core.unread import UnreadIndex, read_index
from hatcher.testing import Answer, ScriptedServer
from hatcher.transport.parsing import LARGE_TEXT

PLAIN = {
    f"egg-{n}.egg": {"name": "egg", "size": n, "packages": ["numpy 1.26.4"], "python": None}
    for n in range(50)
}
TEXT = json.dumps(PLAIN).encode()
FIRST, LAST = "egg-0.egg", "egg-49.egg"


@pytest.fixture
def index() -> Index[Any]:
    index = read_index(TEXT)
    assert type(index) is UnreadIndex
    return index


def test_an_entry_is_read_when_it_is_looked_at(index: Index[Any]) -> None:
    assert index[FIRST] == index.get(FIRST) == PLAIN[FIRST]
    assert index[FIRST] is index[FIRST] is index.get(FIRST)
    assert type(index[FIRST]) is dict
    assert list(index) == list(index.keys()) == list(PLAIN)
    assert len(index) == 50 and FIRST in index and "other" not in index
    assert index.get("other") is None
    assert index.get("other", 3) == 3
    with pytest.raises(KeyError, match="other"):
        index["other"]
    assert type(index) is UnreadIndex
    assert isinstance(index, dict)


WHOLE: dict[str, Callable[[Index[Any]], Any]] = {
    "items": lambda index: dict(index.items()),
    "values": lambda index: dict(zip(index, index.values(), strict=True)),
    "comprehension": lambda index: {key: value for key, value in index.items()},  # noqa: C416
    "dict": dict,
    "unpacking": lambda index: {**index},
    "arguments": lambda index: (lambda **given: given)(**index),
    "update": lambda index: {} | index,
    "union": lambda index: index | {},
    "in place": lambda index: _updated(index),
    "copy": lambda index: index.copy(),
    "copy.copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda index: pickle.loads(pickle.dumps(index)),
    "json": lambda index: json.loads(json.dumps(index)),
    "json, indented": lambda index: json.loads(json.dumps(index, indent=1, sort_keys=True)),
    "repr": lambda index: eval(repr(index)),
    "pprint": lambda index: eval(pprint.pformat(index)),
    "setdefault": lambda index: {key: index.setdefault(key, 3) for key in index},
    "pop": lambda index: {key: index.pop(key) for key in list(index)},
    "popitem": lambda index: dict(reversed([index.popitem() for _ in range(50)])),
}


def _updated(index: Index[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    found |= index
    found.update(index)
    return found


@pytest.mark.parametrize("look", WHOLE.values(), ids=WHOLE.keys())
def test_it_is_what_a_dict_is(index: Index[Any], look: Callable[[Index[Any]], Any]) -> None:
    found = look(index)
    assert found == PLAIN
    assert json.dumps(found, sort_keys=True) == json.dumps(PLAIN, sort_keys=True)
    assert {type(value) for value in found.values()} == {dict}


def test_it_is_equal_to_what_is_equal(index: Index[Any]) -> None:
    assert index == PLAIN
    assert read_index(TEXT) == PLAIN == read_index(TEXT)
    assert PLAIN == read_index(TEXT) == read_index(TEXT)
    unequal = [read_index(TEXT) != PLAIN, PLAIN != read_index(TEXT)]  # noqa: SIM300 - on purpose
    assert unequal == [False, False]
    other = copy.deepcopy(PLAIN)
    other[LAST]["size"] = -1
    assert read_index(TEXT) != other
    assert other != read_index(TEXT)
    assert read_index(TEXT) != 3


def test_what_is_changed_before_the_rest_is_read_stays_changed(index: Index[Any]) -> None:
    first = index[FIRST]
    first["name"] = "changed"
    index["new.egg"] = {"name": "new"}
    index["egg-1.egg"] = {"name": "replaced"}
    del index["egg-2.egg"]
    index.update({"egg-3.egg": {"name": "updated"}})
    expected = PLAIN | {
        FIRST: PLAIN[FIRST] | {"name": "changed"},
        "new.egg": {"name": "new"},
        "egg-1.egg": {"name": "replaced"},
        "egg-3.egg": {"name": "updated"},
    }
    del expected["egg-2.egg"]
    assert dict(index.items()) == expected
    assert type(index) is Index
    assert index[FIRST] is first
    assert list(index)[-1] == "new.egg"
    assert "table" in index._repr_html_()


def test_two_are_independent() -> None:
    one, two = read_index(TEXT), read_index(TEXT)
    one[FIRST]["name"] = "changed"
    assert two == PLAIN


def test_threads_find_the_same_objects(index: Index[Any]) -> None:
    start = threading.Barrier(8)
    found: list[dict[str, Any]] = []

    def work(number: int) -> None:
        start.wait()
        if number == 5:
            index.values()
        found.append({key: index[key] for key in PLAIN})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    for key in PLAIN:
        assert len({id(each[key]) for each in found}) == 1


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {"name": "größe"}}',
        '{"a": {"size": NaN}}',
        '{"a": {"size": 1e400}}',
        '{"a": 3, "b": null, "a": {"again": "\\ud800"}}',
    ],
)
def test_what_is_odd_is_read_as_by_json(text: str) -> None:
    index = read_index(text.encode())
    assert repr(dict(index)) == repr(json.loads(text))
    assert repr(index) == repr(json.loads(text))


def test_what_is_no_object_is_an_error() -> None:
    for text in (b"[]", b"3", b'{"a": {', b'{"a": tru}', b"\xff", b'{"a": {"b": "\xff"}}'):
        with pytest.raises(ValueError, match=r"object|Expecting|decode"):
            read_index(text)


def test_a_client_gives_one_when_it_is_worth_it() -> None:
    large = {f"egg-{n}.egg": PLAIN[FIRST] | {"md5": "ab" * 200} for n in range(10_000)}
    content = json.dumps(large).encode()
    assert len(content) > LARGE_TEXT
    answers = [Answer(200, {}, gzip.compress(content, 1)), Answer(200, {}, TEXT)]
    with ScriptedServer(*answers) as server, BroodClient.from_url(server.url) as client:
        platform = client.organization("acme").repository("dev").platform("rh8-x86_64")
        index = platform.egg_index("cp311")
        assert type(index) is UnreadIndex
        assert index["egg-77.egg"] == large["egg-77.egg"]
        assert index == large
        assert type(platform.egg_index("cp311")) is Index


def test_small_ones_need_no_msgspec() -> None:
    code = (
        "import sys\n"
        "from hatcher.api import BroodClient\n"
        "client = BroodClient.from_url(sys.argv[1])\n"
        "platform = client.organization('acme').repository('dev').platform('rh8-x86_64')\n"
        "assert len(platform.egg_index('cp311')) == len(platform.list_eggs('cp311')) == 50\n"
        "print('msgspec' in sys.modules)"
    )
    with ScriptedServer(Answer(200, {}, TEXT)) as server:
        command = [sys.executable, "-c", code, server.url]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
