"""A long link on one machine, between clients that are near and servers that are far.

Where it may, it is real: two network namespaces, between which ``link.c`` carries packets, so that
it is the system's own TCP that meets delay, loss and limits. That takes Linux, root, ``ip`` and a
compiler. Elsewhere `scripts.bench.servers.delay` stands in before each server, and shows only how
long round trips take and what a connection may carry.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from contextlib import ExitStack
from pathlib import Path

from attrs import frozen

from scripts.bench.servers.process import Process, run_module
from scripts.programs import find

#: Where the near and the far end are, in their namespaces.
NEAR, FAR = "10.90.0.1", "10.90.0.2"
#: The bytes that wait for a link that is full; more are dropped.
_QUEUE = 1_000_000
_SETTINGS = {
    "tcp_congestion_control": "cubic",  # the usual one, whatever this machine's is
    "tcp_no_metrics_save": "1",  # no connection learns from the one before
}


@frozen
class Link:
    """How far away the servers are.

    Attributes
    ----------
    round_trip : float
        In seconds.
    loss : float
        The share of the packets that are lost, each way.
    rate : int
        What all connections together can carry each way, in bytes per second; 0 is no limit.
    per_connection : int
        What each connection can carry, likewise.
    """

    round_trip: float = 0.08
    loss: float = 0.0
    rate: int = 0
    per_connection: int = 0


class Namespaces:
    """Two network namespaces with a link between them; `near` and `far` run a command in one."""

    address = FAR
    description = (
        "The link is made of two network namespaces, between which a small program carries packets, "
        "with the system's own TCP (cubic) at both ends."
    )

    def __init__(self, folder: Path) -> None:
        self._ip = find("ip") or "ip"
        self._program = str(folder / "link")
        self._now: Link | None = None
        self._forwarder: Process | None = None
        name = f"bench-{os.getpid()}-{secrets.token_hex(3)}"
        self._names = [f"{name}-near", f"{name}-far"]
        self.near, self.far = ((self._ip, "netns", "exec", each) for each in self._names)
        _run("cc", "-O2", "-o", self._program, str(Path(__file__).with_suffix(".c")))
        with ExitStack() as stack:
            for name, address, other in zip(self._names, (NEAR, FAR), (FAR, NEAR), strict=True):
                stack.callback(_run, self._ip, "netns", "delete", name, check=False)
                self._make(name, address, other)
            self._stack = stack.pop_all()

    def _make(self, name: str, address: str, other: str) -> None:
        inside = (self._ip, "-n", name)
        _run(self._ip, "netns", "add", name)
        for setting, value in _SETTINGS.items():
            told = f"echo {value} > /proc/sys/net/ipv4/{setting}"
            _run(self._ip, "netns", "exec", name, "sh", "-c", told, check=False)
        _run(*inside, "link", "set", "dev", "lo", "up")
        _run(*inside, "tuntap", "add", "dev", "link", "mode", "tun", "vnet_hdr")
        _run(*inside, "address", "add", address, "peer", other, "dev", "link")
        _run(*inside, "link", "set", "dev", "link", "up", "txqueuelen", "10000")

    def use(self, link: Link) -> None:
        """Make the link such, for connections from now on."""
        if link == self._now:
            return
        self._stop()
        # A connection carries a window in each round trip, so a window is its limit.
        window = int(link.per_connection * link.round_trip)
        limit = ("window", str(window)) if window else ()
        for name, other in zip(self._names, (FAR, NEAR), strict=True):
            _run(self._ip, "-n", name, "route", "replace", other, "dev", "link", *limit)
        told = (link.round_trip / 2, link.loss, link.rate, _QUEUE)
        self._forwarder = Process([self._program, *self._names, *map(str, told)])
        self._forwarder.read_line()
        self._now = link

    def port(self, port: int) -> int:
        """Return the port at `address` where a far server is for those that are near."""
        return port

    def _stop(self) -> None:
        if self._forwarder is not None:
            self._forwarder.stop()

    def close(self) -> None:
        """Remove them."""
        self._stop()
        self._stack.close()


class Relays:
    """The same without namespaces: a relay for each server and each kind of link."""

    description = (
        "The link is a relay on this machine, which knows of round trips and of what a connection "
        "carries, not of how TCP behaves there."
    )
    address = "127.0.0.1"
    near: tuple[str, ...] = ()
    far: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._now = Link()
        self._stack = ExitStack()
        self._ports: dict[tuple[Link, int], int] = {}

    def use(self, link: Link) -> None:
        """Make the link such, for the ports that are asked for from now on."""
        self._now = link

    def port(self, port: int) -> int:
        """Return the port at `address` where a far server is for those that are near."""
        link = self._now
        if (link, port) not in self._ports:
            told = {"to": port, "round-trip": link.round_trip, "rate": link.per_connection}
            options = [f"--{name}={value}" for name, value in told.items()]
            relay = run_module("scripts.bench.servers.delay", *options)
            self._stack.callback(relay.stop)
            self._ports[link, port] = relay.read_port()
        return self._ports[link, port]

    def close(self) -> None:
        """Stop the relays."""
        self._stack.close()


def make(folder: Path) -> Namespaces | Relays:
    """Make a link, as real as it can be here; a folder is for the program that it takes."""
    possible = all(map(find, ("ip", "cc"))) and Path("/dev/net/tun").exists()
    if possible and os.geteuid() == 0:
        try:
            return Namespaces(folder)
        except subprocess.CalledProcessError as error:  # root in a container may not
            print(f"There are no namespaces here: {error.stderr.decode().strip()}", flush=True)
    return Relays()


def _run(*command: str, check: bool = True) -> None:
    subprocess.run(command, check=check, capture_output=True)
