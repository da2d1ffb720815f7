"""pytest fixtures: a running Brood, thrown away after the test, and what fails before it.

pytest loads this module in every run of an environment that has hatcher, so it imports nothing
that pytest has not imported already.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hatcher.aio import AsyncBroodClient
    from hatcher.testing.brood import BroodProcess, BroodServer
    from hatcher.testing.faults import FaultProxy
    from hatcher.testing.gateway import FaultyGateway


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
def async_brood_client(brood_server: BroodServer) -> AsyncBroodClient:
    """A client of the administrator of ``brood_server``, for async tests; with API version 1.

    It belongs to the event loop that the test uses it in, and needs none to be closed: any plugin
    that runs async tests will do.

    Returns
    -------
    hatcher.aio.AsyncBroodClient
        It is closed together with the server.
    """
    from hatcher.aio import AsyncBroodClient

    return AsyncBroodClient(brood_server.client())


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


@pytest.fixture
def fault_proxy(brood_server: BroodServer) -> Iterator[Callable[..., FaultProxy]]:
    """A network that fails, before ``brood_server``.

    Yields
    ------
    callable
        Given faults, starts a `hatcher.testing.FaultProxy`, which the test's end closes: one
        connection is spoiled for each `hatcher.testing.Fault`.
    """
    from hatcher.testing.faults import FaultProxy

    with ExitStack() as opened:
        yield lambda *faults: opened.enter_context(FaultProxy(brood_server.url, faults))


@pytest.fixture
def faulty_gateway(brood_server: BroodServer) -> Iterator[Callable[..., FaultyGateway]]:
    """A gateway that fails at chosen requests, before ``brood_server``.

    Yields
    ------
    callable
        Given faults, starts a `hatcher.testing.FaultyGateway`, which the test's end closes: each
        `hatcher.testing.RequestFault` says which requests it is about.
    """
    from hatcher.testing.gateway import FaultyGateway

    with ExitStack() as opened:
        yield lambda *faults: opened.enter_context(FaultyGateway(brood_server.url, *faults))
