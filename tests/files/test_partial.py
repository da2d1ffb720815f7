"""Files that are not complete yet: one owner at a time, found again after its death."""

from __future__ import annotations

import hashlib
import mmap
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from hatcher.files.partial import Partial

pytest.importorskip("fcntl", reason="without its locks nothing is found again")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "spam-1.0-1.egg"


def names(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def test_it_takes_the_place_of_its_target(target):
    target.write_bytes(b"the old one")
    partial = Partial.claim(target)
    partial.write(b"the new")
    partial.write(b" one")
    assert target.read_bytes() == b"the old one"
    assert names(target) == [target.name, f"{target.name}.0.hatcher-partial"]
    partial.publish(target)
    assert target.read_bytes() == b"the new one"
    assert names(target) == [target.name]
    umask = os.umask(0)
    os.umask(umask)
    assert target.stat().st_mode & 0o777 == 0o644 & ~umask


def test_each_has_its_own(target):
    partials = [Partial.claim(target) for _ in range(20)]
    assert len({partial.path for partial in partials}) == 20
    for number, partial in enumerate(partials):
        partial.write(b"%d" % number)
    Partial.sweep(target)
    assert all(Path(partial.path).read_bytes() == b"%d" % n for n, partial in enumerate(partials))
    for partial in partials:
        partial.discard()
    assert names(target) == []


def test_what_was_let_go_of_is_found(target):
    first = Partial.claim(target)
    first.write(b"half of ")
    first.remember("ab" * 32, '"v1"')
    first.release()

    second = Partial.claim(target)
    assert second.path == first.path
    assert second.size == 8
    assert second.recall() in (("ab" * 32, '"v1"'), (None, None))  # as the file system can
    digest = hashlib.sha256()
    assert list(second.rehash(digest)) == [8]
    assert digest.digest() == hashlib.sha256(b"half of ").digest()
    second.write(b"it")
    second.publish(target)
    assert target.read_bytes() == b"half of it"
    if sys.platform == "linux":
        assert os.listxattr(target) == []


def test_what_a_killed_process_left_is_found_and_swept(target):
    code = (
        "import os, pathlib, sys\n"
        "from hatcher.files.partial import Partial\n"
        "Partial.claim(pathlib.Path(sys.argv[1])).write(b'left')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, target], check=False)
    assert names(target) == [f"{target.name}.0.hatcher-partial"]
    partial = Partial.claim(target)
    assert partial.size == 4
    partial.release()
    Partial.sweep(target)
    assert names(target) == []


def test_a_removed_or_replaced_one_is_not_published(target):
    partial = Partial.claim(target)
    partial.write(b"mine")
    path = Path(partial.path)
    path.unlink()
    path.write_bytes(b"somebody else's")
    with pytest.raises(FileNotFoundError, match="removed"):
        partial.publish(target)
    partial.discard()
    assert names(target) == [path.name]
    assert path.read_bytes() == b"somebody else's"


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="links are followed here")
def test_what_others_may_have_laid_out_is_not_touched(target, tmp_path):
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    slots = [target.with_name(f"{target.name}.{slot}.hatcher-partial") for slot in range(3)]
    slots[0].symlink_to(precious)
    slots[1].hardlink_to(precious)
    slots[2].mkdir()
    partial = Partial.claim(target)
    assert Path(partial.path).name == f"{target.name}.3.hatcher-partial"
    Partial.sweep(target)
    partial.discard()
    assert precious.read_bytes() == b"precious"
    assert all(os.path.lexists(slot) for slot in slots)


def test_no_file_can_be_made(tmp_path):
    with pytest.raises(FileNotFoundError):
        Partial.claim(tmp_path / "nowhere" / "spam.egg")


@pytest.mark.parametrize("offset", [0, 512, 1], ids=["aligned", "suits most disks", "suits none"])
def test_large_blocks_past_the_cache_and_all_others_are_the_file(tmp_path, offset):
    block = 1 << 20
    content = random.Random(offset).randbytes(3 * block + 12345)
    memory = memoryview(mmap.mmap(-1, len(content) + offset))[offset:]
    memory[:] = content
    target = tmp_path / "file"
    partial = Partial.claim(target)
    for begin in range(0, len(content), block):
        partial.write(memory[begin : begin + block])
    # Now no place in the file is a multiple of anything.
    partial.write(memory[:block])
    assert partial.size == len(content) + block
    assert list(partial.rehash(hashlib.sha256()))[-1] == partial.size
    partial.publish(target)
    assert target.read_bytes() == content + content[:block]
