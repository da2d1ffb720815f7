"""pytest fixtures: a running Brood, thrown away after the test.

pytest loads this module in every run of an environment that has hatcher, so it imports nothing
that pytest has not imported already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatcher.testing.brood import BroodProcess, BroodServer


@pytest.fixture
def brood_server() -> Iterator[BroodServer]:
    """A running Brood with no content; its data are thrown away after the test.

    Yields
    ------
    hatcher.testing.BroodServer
        With ``.url``, ``.admin_email``, ``.admin_password`` and ``.client()``.
    """
    from hatcher.testing.brood import BroodServer

    with BroodServer() as server:
        yield server


@pytest.fixture
def brood_process() -> Iterator[BroodProcess]:
    """A Brood in a process of its own, which a test may kill and start again.

    Yields
    ------
    hatcher.testing.BroodProcess
        What ``brood_server`` offers, with ``.kill()``, ``.restart()`` and ``.pid``.
    """
    from hatcher.testing.brood import BroodProcess

    with BroodProcess() as server:
        yield server
