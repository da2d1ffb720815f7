"""The README's examples, run from top to bottom as a reader would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hatcher.cli.root import hatcher as root

from .examples import Reader, examples_of, reading

README = Path(__file__).parent.parent / "README.md"
EXAMPLES = list(examples_of(README))

#: Stands alone: its organization is there already.
APPETIZER = EXAMPLES[0]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    with reading(tmp_path, furnished=False) as reader:
        yield reader


def test_the_examples_work_as_printed(reader: Reader) -> None:
    ran = reader.run(EXAMPLES[1:])
    assert {example.section for example in ran} == {
        "A first script",
        "Many files, and large ones",
        "Mirror: move only what changed, and prove it",
        "Who is asking",
        "Nothing is sent until you ask",
        "Exploring",
        "The raw way",
        "In your own tests",
    }
    original, downloaded = (Path(folder, "nose-1.3.0-1.egg") for folder in (".", "downloads"))
    assert downloaded.read_bytes() == original.read_bytes()
    assert "nose-1.3.0-1.egg" in reader.printed.getvalue()
    assert "2 artefacts checked, 3,980 bytes hashed: all right" in reader.printed.getvalue()
    assert "no connection to https://no.such.host.invalid" in reader.printed.getvalue()


def test_the_appetizer_works(reader: Reader) -> None:
    with reader.client() as client:
        repository = client.create_organization("enthought", "-").create_repository("dev", "-")
        assert reader.run([APPETIZER]) == [APPETIZER]
        listed = repository.platform("rh8-x86_64").list_eggs("cp311")
    assert [egg["name"] for egg in listed] == ["nose-1.3.0-1.egg"]


def test_the_commands_exist() -> None:
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    commands = [
        line.partition("#")[0].split()[1:]
        for example in EXAMPLES
        if example.kind == "console"
        for line in example.code.splitlines()
        if line.startswith("$")
    ]
    assert ["make", "demo"] in commands and ["make", "test"] in commands
    for command in commands:
        if command[0] == "make":
            assert f"\n{command[1]}:" in makefile
        elif command[0] == "hatcher" and not command[1].startswith("-"):
            assert command[1] in root.homes
