"""The worker threads of the async graph."""

from __future__ import annotations

import threading

import pytest

from hatcher.aio.threads import Threads

pytestmark = pytest.mark.anyio


async def test_work_is_done_in_another_thread():
    assert await Threads().run(threading.current_thread) is not threading.current_thread()
