"""Locks that end with who holds them, and folders that are the user's alone."""

from __future__ import annotations

import os
import threading

import pytest

from hatcher.errors import InvalidDestinationError
from hatcher.files.folders import existing_directory, make_directory
from hatcher.files.locks import lock, locked

pytest.importorskip("fcntl", reason="Windows has locks of another kind")


def test_one_holds_it_at_a_time(tmp_path):
    path = tmp_path / "lock"
    with locked(path) as is_ours:
        assert is_ours and path.exists()
        with locked(path, wait=False) as is_ours:
            assert not is_ours
        assert path.exists()
    assert not path.exists()


def test_who_waits_gets_a_file_that_is_there(tmp_path):
    path, held = tmp_path / "lock", threading.Semaphore()
    busy: list[bool] = []

    def work() -> None:
        for _ in range(50):
            with locked(path):
                busy.append(held.acquire(blocking=False) and path.exists())
                held.release()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert busy == [True] * 200 and not path.exists()


def test_shared_locks_go_together_and_exclude_others(tmp_path):
    path = tmp_path / "file"
    path.touch()
    one, two, other = (os.open(path, os.O_RDONLY) for _ in range(3))
    try:
        assert lock(one, shared=True) and lock(two, shared=True)
        assert lock(other) is False
    finally:
        for descriptor in (one, two, other):
            os.close(descriptor)


def test_where_no_lock_and_no_folder_can_be_made(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(InvalidDestinationError), locked(file / "lock"):
        pass
    with pytest.raises(InvalidDestinationError, match="cannot be made"):
        make_directory(file / "folder")
    with pytest.raises(InvalidDestinationError, match="is a file, not"):
        existing_directory(file)
    with pytest.raises(InvalidDestinationError, match="is not a directory"):
        existing_directory(tmp_path / "missing")
