"""Few threads do heavy work at a time; who waits for them is cancelled, and a fork begins anew."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from hatcher.cancel import Cancelled, CancelToken
from hatcher.transport import parsing

#: Longer than anything takes here, in seconds.
PATIENCE = 20


def beside(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_large_texts_are_decoded_one_after_the_other():
    at_once, most, was_enabled = [], [], []

    def decode() -> None:
        with parsing.collector_held(1 << 30):
            at_once.append(None)
            most.append(len(at_once))
            parsing.loads(b"[%s0]" % (b"0," * 300_000))
            was_enabled.append(gc.isenabled())
            at_once.pop()

    for thread in [beside(decode) for _ in range(4)]:
        thread.join(PATIENCE)
    assert most == [1] * 4
    assert was_enabled == [False] * 4
    assert gc.isenabled()


def test_small_ones_wait_for_nobody():
    with parsing.collector_held(1 << 30):
        found: list[object] = []

        def decode() -> None:
            with parsing.collector_held(100):
                found.append(parsing.loads(b"[1]"))

        beside(decode).join(PATIENCE)
    assert found == [[1]]


def test_who_is_cancelled_meanwhile_decodes_nothing():
    token, ended = CancelToken(), list[type[BaseException]]()

    def decode() -> None:
        with token.joined():
            waiting.set()
            with pytest.raises(Cancelled) as raised, parsing.collector_held(1 << 30):
                pytest.fail("it decodes")
            ended.append(raised.type)

    waiting = threading.Event()
    with parsing.collector_held(1 << 30):
        thread = beside(decode)
        assert waiting.wait(PATIENCE)
        token.cancel()
    thread.join(PATIENCE)
    assert ended == [Cancelled]
    with parsing.collector_held(1 << 30):  # its lane is free
        assert not gc.isenabled()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_fork_waits_for_no_thread_of_its_parent():
    program = """if True:
        import os, signal, sys, threading
        from hatcher.transport import lanes, parsing
        inside, over = threading.Event(), threading.Event()
        def hold():
            with lanes.decoding(), lanes.moving(0):
                inside.set()
                over.wait()
        threading.Thread(target=hold, daemon=True).start()
        inside.wait()
        child = os.fork()
        if not child:
            signal.alarm(20)
            with lanes.decoding(), lanes.moving(0):
                os._exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program]
    assert subprocess.check_output(command, text=True).strip() == "7"
