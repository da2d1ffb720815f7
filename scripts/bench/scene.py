"""The servers and the files that the cases take place with, each made when it is first needed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cache, cached_property, partial
from itertools import product
from pathlib import Path
from subprocess import DEVNULL
from typing import Self

import trustme

from scripts.bench.environments import surroundings
from scripts.bench.options import (
    BUSY_EGG,
    BUSY_EGGS,
    DISTANT_DOWN,
    DISTANT_EGG,
    DISTANT_UP,
    FEW_EGGS,
    INDEX_ENTRIES,
    LARGE_DOWNLOAD,
    LARGE_UPLOAD,
    LISTED_EGGS,
    LISTED_INDICES,
    MIRRORED_EGGS,
    MIRRORED_LARGE,
    MIRRORED_SIZE,
    ROUND_TRIP,
    SEARCHED_EGGS,
    SMALL_EGG,
    SMALL_EGGS,
    Options,
)
from scripts.bench.servers import brood, link, nginx
from scripts.bench.servers.brood import Brood
from scripts.bench.servers.link import Namespaces, Relays
from scripts.bench.servers.process import run_module
from scripts.bench.servers.site import (
    BUSY,
    DISTANT,
    FEW,
    MIRRORED,
    MIRRORED_PLATFORMS,
    MIRRORED_TAGS,
    NEARLY,
    ORGANIZATION,
    REPOSITORY,
    REQUESTS,
    SEARCHED,
    SENT,
    SMALL,
    TARGETS,
    File,
    Site,
    filename_of,
    made_up,
    make_egg,
    nearly,
)
from scripts.programs import find

#: Who asks. No server here looks at it, but it is sent as users do.
AUTH = ("ada@example.com", "correct horse battery staple")

#: How many small eggs a repository has, how many are uploaded to one like it, and their size.
_MANY = {
    SMALL: (SMALL_EGGS, SMALL_EGGS, SMALL_EGG),
    BUSY: (BUSY_EGGS, BUSY_EGGS, BUSY_EGG),
    DISTANT: (DISTANT_DOWN, DISTANT_UP, DISTANT_EGG),
    SENT: (DISTANT_DOWN, DISTANT_DOWN, DISTANT_EGG),
}
#: What a case may need that there is not everywhere.
REAL_TCP, NGINX = "real TCP", "nginx"
#: Where Linux has a file system in memory.
_IN_MEMORY = Path("/dev/shm")


class Scene:
    """Servers on this machine, with what they serve; a context manager.

    Parameters
    ----------
    options : Options
    without_nginx : bool, default False
        Use the small server for everything.
    log : pathlib.Path, optional
        Where nginx tells of each request; nowhere by default, as that costs time.
    """

    def __init__(
        self, options: Options, without_nginx: bool = False, log: Path | None = None
    ) -> None:
        self._options = options
        self._program = None if without_nginx else find("nginx")
        self._log = log
        self._stack = ExitStack()
        self._folder = options.scratch / "scene"

    def __enter__(self) -> Self:
        for folder in (self._folder, self._folder / "root", self._folder / "nginx"):
            folder.mkdir()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def scaled(self, number: int) -> int:
        """Return the part of a full size that is to be taken."""
        return self._options.scaled(number)

    def folder(self, *, in_memory: bool = False) -> Path:
        """Return a new, empty folder on the disk that is measured with, or in memory."""
        place = _IN_MEMORY if in_memory and _IN_MEMORY.is_dir() else self._options.scratch
        return Path(tempfile.mkdtemp(dir=place, prefix="bench-"))

    # --- the servers ------------------------------------------------------------------------------

    @property
    def server(self) -> str:
        """What serves files (`str`)."""
        return "nginx" if self._program else "a small asyncio server"

    @cached_property
    def http(self) -> str:
        """The URL of the server of files."""
        return f"http://127.0.0.1:{self._nginx.port}" if self._program else self.swallowing

    @cached_property
    def https(self) -> str:
        """The URL of the same over TLS."""
        if self._program:
            return f"https://127.0.0.1:{self._nginx.tls_port}"
        url = self._serving("small", self._root, "--certificate", self._certificate)
        return url.replace("http:", "https:")

    @cached_property
    def far(self) -> str:
        """The URL of the same, far away."""
        port = self.http.rpartition(":")[2]
        return self._serving("delay", "--to", port, "--round-trip", ROUND_TRIP)

    @property
    def requests(self) -> str:
        """The URL where the server of files says how many requests it has had."""
        return f"{self.http}{REQUESTS}"

    @cached_property
    def swallowing(self) -> str:
        """The URL of the server that takes in large uploads."""
        return self._serving("small", self._root)

    @cached_property
    def authority(self) -> Path:
        """The certificate of the authority that both clients are to trust."""
        self._certificate  # noqa: B018
        return self._folder / "authority.pem"

    @property
    def _root(self) -> Path:
        return self._folder / "root"

    @cached_property
    def _certificate(self) -> Path:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self._folder / "authority.pem"))
        path = self._folder / "server.pem"
        issued = authority.issue_cert("127.0.0.1", "localhost", link.FAR)
        issued.private_key_and_cert_chain_pem.write_to_path(str(path))
        return path

    @cached_property
    def _nginx(self) -> nginx.Running:
        assert self._program is not None
        running = nginx.start(
            self._program, self._root, self._certificate, self._folder / "nginx", self._log
        )
        self._stack.callback(running.process.stop)
        return running

    def _serving(self, server: str, *arguments: object) -> str:
        process = run_module(f"scripts.bench.servers.{server}", *map(str, arguments))
        self._stack.callback(process.stop)
        return f"http://127.0.0.1:{process.read_port()}"

    # --- the servers at the other end of a long link ----------------------------------------------

    @cached_property
    def link(self) -> Namespaces | Relays:
        """The long link."""
        made = link.make(self._folder)
        self._stack.callback(made.close)
        return made

    def lacking(self, needs: Sequence[str]) -> list[str]:
        """Return what there is not of what a case needs."""
        there = {
            REAL_TCP: REAL_TCP in needs and isinstance(self.link, Namespaces),
            NGINX: self._program is not None,
        }
        return [each for each in needs if not there[each]]

    @property
    def distant(self) -> str:
        """The URL of the server of files, as far away as the link says now."""
        return self._at("http", self._distant.port)

    @property
    def distant_tls(self) -> str:
        """The URL of the same over TLS."""
        return self._at("https", self._distant.tls_port)

    @property
    def no_ranges(self) -> str:
        """The URL of the same, which ignores ranges."""
        return self._at("http", self._distant.no_ranges_port)

    @property
    def few_connections(self) -> str:
        """The URL of the same, which refuses what comes over more than four connections."""
        return self._at("http", self._distant.few_port)

    def brood(self, number: int) -> tuple[str, tuple[str, str]]:
        """Return the URL of one of two Broods, likewise, and how to log in; the first has eggs."""
        made = self._broods[number]
        return self._at("http", made.port), made.auth

    def account(self) -> Path:
        """Return a home whose user is logged in to both Broods: profiles 'source' and 'target'."""
        accounts = [self.brood(number) for number in range(2)]
        home = self._folder / f"home-{accounts[0][0].rpartition(':')[2]}"
        if not home.exists():
            home.mkdir()
            command = (*self.link.near, self._options.python, "-m", "hatcher", "-q", "login")
            for name, (url, (user, password)) in zip(("source", "target"), accounts, strict=True):
                env = {"HATCHER_USERNAME": user, "HATCHER_PASSWORD": password, **surroundings(home)}
                told = (*command, url, "--profile", name, "--insecure-storage")
                subprocess.run(told, check=True, stdout=DEVNULL, env=env)
        return home

    def _at(self, scheme: str, port: int) -> str:
        return f"{scheme}://{self.link.address}:{self.link.port(port)}"

    @cached_property
    def _distant(self) -> nginx.Running:
        address, within = self.link.address, self.link.far
        if self._program is not None:
            (scratch := self._folder / "distant").mkdir()
            to = (self._root, self._certificate, scratch, None)
            running = nginx.start(self._program, *to, address, within)
            self._stack.callback(running.process.stop)
            return running
        ports = []
        for more in ((), ("--certificate", str(self._certificate))):
            told = ("scripts.bench.servers.small", str(self._root), "--host", address, *more)
            process = run_module(*told, within=within)
            self._stack.callback(process.stop)
            ports.append(process.read_port())
        return nginx.Running(process, *ports, *ports)  # the last two belong to nginx alone

    @cached_property
    def _broods(self) -> list[Brood]:
        sent, small = (sorted(each.iterdir()) for each in (self.sent, self.many_local(DISTANT)))
        made: list[Brood] = []
        for eggs in ({SENT: sent, FEW: small[:FEW_EGGS]}, dict.fromkeys(TARGETS, ())):
            data = self._folder / f"brood-{len(made)}"
            made.append(brood.start(data, eggs, self.link.address, self.link.far))
            self._stack.callback(made[-1].process.stop)
        return made

    def target(self) -> str:
        """Return a repository of the second Brood that nothing has been sent to."""
        return next(self._targets)

    @cached_property
    def _targets(self) -> Iterator[str]:
        return iter(TARGETS)

    # --- the files --------------------------------------------------------------------------------

    @cached_property
    def site(self) -> Site:
        """What is served."""
        return Site(self._root)

    @cached_property
    def large(self) -> File:
        """The egg that is downloaded."""
        return self.site.add_egg("large", self._options.scaled(LARGE_DOWNLOAD))

    @cached_property
    def local(self) -> File:
        """The egg that is uploaded."""
        return make_egg(self._folder, "local", self._options.scaled(LARGE_UPLOAD))

    @cached_property
    def entries(self) -> int:
        """The number of entries of the large index, which is served from now on."""
        count = self._options.scaled(INDEX_ENTRIES)
        self.site.add_index(REPOSITORY, made_up(count))
        return count

    @cached_property
    def nearly(self) -> None:
        """An index that is nearly the large one, in another repository."""
        self.site.add_index(NEARLY, nearly(made_up(self.entries)))

    @cached_property
    def searched(self) -> int:
        """The number of entries of each index that is searched, which are served from now on."""
        count = self._options.scaled(SEARCHED_EGGS)
        for repository in SEARCHED:
            self.site.add_index(repository, made_up(count))
        return count

    @cached_property
    def listed(self) -> list[str]:
        """The repositories with small indices, which are served from now on."""
        repositories = [f"listed-{each:04}" for each in range(self.scaled(LISTED_INDICES))]
        for repository in repositories:
            self.site.add_index(repository, made_up(LISTED_EGGS))
        return repositories

    @cached_property
    def mirrored(self) -> list[File]:
        """The eggs that are exported, which are served from now on."""
        count = self._options.scaled(MIRRORED_EGGS)
        places = [*product(MIRRORED_PLATFORMS, MIRRORED_TAGS)]
        made = []
        for first, place in enumerate(places):
            numbers, add = range(first, count, len(places)), partial(self.site.add_egg, place=place)
            files = [add(f"mirrored_{each:04}", SMALL_EGG, MIRRORED, each) for each in numbers]
            self.site.add_index(MIRRORED, files, place)
            made += files
        return made

    @cached_property
    def exported(self) -> Path:
        """The folder that they have all been exported to."""
        folder = self._folder / "exported"
        for egg in self.mirrored:
            platform, python_tag = egg.place
            place = folder.joinpath("v1", ORGANIZATION, MIRRORED, platform, "eggs", python_tag)
            place.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(egg.path, place / filename_of(egg.name))
        return folder

    @cache  # noqa: B019
    def many(self, repository: str) -> int:
        """Return the number of the small eggs of a repository, which are served from now on."""
        count, _, size = _MANY[repository]
        numbers, add = range(self.scaled(count)), self.site.add_egg
        made = [add(f"small_{each:03}", size, repository, each) for each in numbers]
        self.site.add_index(repository, made)
        return len(made)

    @cache  # noqa: B019
    def many_local(self, repository: str) -> Path:
        """Return a folder of small eggs, as those of the repository, that are uploaded."""
        (folder := self._folder / f"local-{repository}").mkdir()
        _, count, size = _MANY[repository]
        for number in range(self.scaled(count)):
            make_egg(folder, f"small_{number:03}", size, number)
        return folder

    @cached_property
    def sent(self) -> Path:
        """The folder of eggs, small and large, that are mirrored over it."""
        folder = self.many_local(SENT)
        for number in range(MIRRORED_LARGE):
            make_egg(folder, f"large_{number}", self.scaled(MIRRORED_SIZE), number)
        return folder

    @cache  # noqa: B019
    def distant_large(self, megabytes: int) -> File:
        """Return a large egg that is served, of so many megabytes at full scale."""
        return self.site.add_egg(f"large_{megabytes}", self.scaled(megabytes * 10**6), DISTANT)
