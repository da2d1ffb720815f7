"""Operations that are cancelled by their token, from another thread, and what they leave behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Self

from hatcher.api import Timeouts
from hatcher.cancel import CancelToken
from hatcher.errors import TransferInterruptedError

#: Far beyond the time that any test takes.
FOREVER = Timeouts(connect=300, read=300, write=300, pool=300, stall=300)

#: Seconds that a machine may be busy with other things.
PATIENCE = 60.0


class Running:
    """An operation in a thread of its own, and its token.

    Attributes
    ----------
    result : object
        What it has returned.
    """

    def __init__(self, operate: Callable[[], object]) -> None:
        self.token = CancelToken()
        self.result: Any = None
        self._error: BaseException | None = None

        def run() -> None:
            try:
                with self.token.active():
                    self.result = operate()
            except BaseException as error:
                self._error = error

        self._thread = threading.Thread(target=run, daemon=True)

    def start(self) -> Self:
        self._thread.start()
        return self

    @property
    def goes_on(self) -> bool:
        return self._thread.is_alive()

    def is_cancelled(self) -> bool:
        """Wait for its end, and that of its threads; return whether it did not come to its own."""
        self._thread.join(PATIENCE)
        assert not self.goes_on
        if self._error is not None and not isinstance(self._error, TransferInterruptedError):
            raise self._error
        wait_until(lambda: not at_work())
        return self._error is not None

    def cancel(self) -> None:
        """Cancel it while it goes on, and check that it ends by that."""
        self.token.cancel()
        assert self.is_cancelled()


def at_work() -> list[str]:
    """The threads that work for operations."""
    names = ("hatcher-batch", "hatcher-transfer", "hatcher-begin")
    return [thread.name for thread in threading.enumerate() if thread.name in names]


def wait_until(is_so: Callable[[], object]) -> None:
    """Wait for something that has to come."""
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)
