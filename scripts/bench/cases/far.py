"""What goes over a long link."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from scripts.bench.cases.large import download_job
from scripts.bench.cases.many import many_curl, many_job
from scripts.bench.comparison import Comparison, Limit
from scripts.bench.scene import NGINX, REAL_TCP, Scene
from scripts.bench.servers.link import Link
from scripts.bench.servers.site import (
    DISTANT,
    FEW,
    FULL_VERSION,
    ORGANIZATION,
    PLATFORM,
    PYTHON_TAG,
    SENT,
    egg_path,
)

_ROUNDS = 3
#: Over how many connections large eggs come beside others, who take as many, and in the other cases.
_BESIDE, _ALONE = 8, 4
_LIMITED = Link(per_connection=10_000_000)
_NEAR = Link(round_trip=0)


class _Large(NamedTuple):
    """A large egg: its MB, the link and server, what ours must, whether others stand beside, rounds."""

    title: str
    size: int
    link: Link
    must: float | None
    aim: float | None
    others: bool = True
    where: str = "distant"
    needs: tuple[str, ...] = ()
    rounds: int = _ROUNDS


def _guard(title: str, size: int, link: Link, where: str = "distant", *needs: str) -> _Large:
    """Return what several connections do not make faster, nor may make slower."""
    return _Large(title, size, link, 1.05, 1.02, False, where, needs)


_TCP = (REAL_TCP,)
_EACH = "10 MB/s for each connection"
_LARGE = {
    "limited": _Large(f"200 MB, {_EACH}, 80 ms", 200, _LIMITED, 1.4, 1.1),
    "80": _Large("200 MB, 80 ms", 200, Link(), 1.4, 1.15, needs=_TCP),
    "20": _Large("200 MB, 20 ms", 200, Link(round_trip=0.02), 1.4, 1.15, needs=_TCP),
    "tls": _Large(f"200 MB, {_EACH}, TLS", 200, _LIMITED, None, None, where="distant_tls"),
    "loss": _Large(  # which packets are lost is chance
        "20 MB, 0.1 % of the packets lost", 20, Link(loss=0.001), 2, 1.2, needs=_TCP, rounds=7
    ),
    # One connection fills it, and several have to share it: so they are an option, not the default.
    "full": _Large(
        "50 MB, 100 Mbit/s for all together",
        50,
        Link(rate=12_500_000),
        None,
        None,
        others=False,
        needs=_TCP,
    ),
    "below": _guard(f"8 MB, {_EACH}", 8, _LIMITED),
    "no-ranges": _guard(f"50 MB, {_EACH}, ranges ignored", 50, _LIMITED, "no_ranges", NGINX),
    "429": _guard(f"50 MB, {_EACH}, 429 for the 5th", 50, _LIMITED, "few_connections", NGINX),
}


def _download(wanted: _Large, scene: Scene, folder: Path, **more: Any) -> dict[str, Any]:
    egg = scene.distant_large(wanted.size)
    options = {"connections": _connections(wanted)}
    told = {"repository": DISTANT, "cold": True, "options": options, **more}
    return download_job(scene, wanted.where, egg, folder, **told)


def _connections(wanted: _Large) -> int:
    return _BESIDE if wanted.others else _ALONE


def _aria2(wanted: _Large, scene: Scene, folder: Path) -> list[str]:
    url, path, trusted = _asked(wanted, scene)
    trust = [f"--ca-certificate={trusted}"] * bool(trusted)
    eight = ["--split=8", "--max-connection-per-server=8"]
    return [*eight, *trust, f"--dir={folder}", "--out=egg", url + path]


def _rclone(wanted: _Large, scene: Scene, folder: Path) -> list[str]:
    url, path, trusted = _asked(wanted, scene)
    trust = [f"--ca-cert={trusted}"] * bool(trusted)
    eight = ["--multi-thread-streams=8", "--multi-thread-cutoff=1M"]
    return [*eight, *trust, f"--http-url={url}", "copyto", f":http:{path[1:]}", f"{folder}/egg"]


def _asked(wanted: _Large, scene: Scene) -> tuple[str, str, str]:
    url, egg = getattr(scene, wanted.where), scene.distant_large(wanted.size)
    return url, egg_path(egg.name, DISTANT), str(scene.authority) * url.startswith("https:")


def _large() -> Iterator[Comparison]:
    for name, wanted in _LARGE.items():
        alone = partial(_download, wanted, options={"connections": 1})
        peers: tuple[Limit, ...] = (Limit("one connection", "egg_download", alone),)
        if wanted.others:
            peers = (
                Limit("aria2, 8 connections", "aria2c", partial(_aria2, wanted)),
                Limit("rclone, 8 streams", "rclone", partial(_rclone, wanted)),
            )
        yield _far(
            f"large-{name}" if wanted.others else name,
            f"{wanted.title}, {_connections(wanted)} connections",
            "egg_download",
            partial(_download, wanted),
            (wanted.must, wanted.aim),
            peers=peers,
            link=wanted.link,
            needs=wanted.needs,
            most_rounds=wanted.rounds,
        )


def _many() -> Iterator[Comparison]:
    for way, name, must, aim in (("down", "1,000", 1.3, 1.1), ("up", "300", 1.8, 1.3)):
        told = (way, "distant", DISTANT)
        curl = Limit("curl, 64 at once", "curl", partial(many_curl, *told, most=64))
        title, job = f"{name} eggs of 20 kB {way}, 80 ms", partial(many_job, *told, cold=True)
        yield _far(f"many-{way}", title, f"many_{way}", job, (must, aim), peers=(curl,))


def _brood_job(scene: Scene, number: int, repository: str, **more: Any) -> dict[str, Any]:
    url, auth = scene.brood(number)
    told = {"url": url, "auth": auth, "verify": True, "profile": None, **more}
    count = sum(1 for _ in scene.sent.iterdir())
    return {"platform": [ORGANIZATION, repository, PLATFORM], "count": count, **told}


def _both_sides(scene: Scene, folder: Path) -> dict[str, Any]:
    return _brood_job(scene, 0, SENT, target=_brood_job(scene, 1, scene.target()))


def _mirror(scene: Scene, folder: Path) -> list[str]:
    to = f"target:{ORGANIZATION}/{scene.target()}"
    return ["", "-q", "mirror", "apply", "--yes", f"{ORGANIZATION}/{SENT}", to]


def _mirror_down(scene: Scene, folder: Path) -> dict[str, Any]:
    return _brood_job(scene, 0, SENT, destination=str(folder))


def _mirror_up(scene: Scene, folder: Path) -> dict[str, Any]:
    return _brood_job(scene, 1, scene.target(), eggs=str(scene.sent))


def _command(*words: str) -> Any:
    return lambda scene, folder: ["", *(word.format(to=folder) for word in words)]


_PLACE = (ORGANIZATION, FEW, PLATFORM, PYTHON_TAG)
_COMMANDS: Mapping[str, tuple[tuple[str, ...], int, int]] = {
    "whoami": (("whoami",), 2, 2),
    "organizations": (("organizations", "list"), 2, 2),
    "eggs": (("eggs", "list", *_PLACE), 2, 2),
    "download": (("eggs", "download", "-q", *_PLACE, "small_000", FULL_VERSION, "{to}"), 4, 3),
}


def _commands() -> Iterator[Comparison]:
    for name, (words, must, aim) in _COMMANDS.items():
        job = _command(*words)
        yield _far(
            f"command-{name}",
            f"`hatcher {' '.join(words[:2])}`, the second command within four minutes",
            "command_line",
            job,
            (must, aim),
            peers=(Limit("without the link", "command_line", job, _NEAR),),
            measure="round trips",
            most_rounds=None,
            before=_command("whoami"),
            home=Scene.account,
        )


def _far(
    name: str,
    title: str,
    driver: str,
    job: Any,
    wanted: tuple[float | None, float | None],
    **more: Any,
) -> Comparison:
    must, aim = wanted
    usual = {"link": Link(), "figure": "process", "measure": "times as long"}
    told = {**usual, "most_rounds": _ROUNDS, "must": must, "aim": aim, **more}
    return Comparison(f"far-{name}", title, driver, job, **told)


COMPARISONS = (
    *_large(),
    _far(
        "killed",
        f"200 MB, {_EACH}, killed at the half: what is sent twice",
        "killed_download",
        partial(_download, _LARGE["limited"], options={}),
        (4, 3.2),
        measure="MB",
        figure="twice",
        link=_LIMITED,
        needs=_TCP,
    ),
    *_many(),
    _far(
        "mirror",
        "mirror of 1,000 eggs of 20 kB and 5 of 100 MB between two embedded Broods, 80 ms",
        "command_line",
        _mirror,
        (1.3, 1.15),
        peers=(
            Limit("downloads alone, hatcher", "many_down", _mirror_down),
            Limit("uploads alone, hatcher", "many_up", _mirror_up),
        ),
        slowest=True,
        home=Scene.account,
    ),
    _far(
        "indices",
        "all indices of a repository, of both sides of a plan, 80 ms",
        "both_sides",
        _both_sides,
        (7, 3.5),
        measure="s",
        figure="wall",
    ),
    *_commands(),
)
