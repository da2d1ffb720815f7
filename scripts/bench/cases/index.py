"""The index of a large repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts.bench.cases.jobs import curl_at_once, job_for
from scripts.bench.comparison import Comparison, JobMaker, Limit
from scripts.bench.scene import Scene
from scripts.bench.servers.site import REPOSITORY, SEARCHED


def _index(method: str, before: int = 0, times: int = 1) -> JobMaker:
    def make(scene: Scene, folder: Path) -> dict[str, Any]:
        told = {"method": method, "entries": scene.entries, "before": before, "times": times}
        return job_for(scene, "http", **told)

    return make


def _file(end: str) -> JobMaker:
    return lambda scene, folder: {"file": f"{_where(scene)}{end}", "profile": None}


def _where(scene: Scene) -> Path:
    scene.entries  # noqa: B018
    return scene.site.index_of(REPOSITORY)


def _curl(scene: Scene, folder: Path) -> list[str]:
    path = _where(scene).relative_to(scene.site.folder).as_posix()
    return ["--compressed", "--output", str(folder / "file"), f"{scene.http}/{path}"]


def _search(scene: Scene, folder: Path) -> dict[str, Any]:
    scene.searched  # noqa: B018
    return job_for(scene, "far", found=len(SEARCHED))


def _curl_all(scene: Scene, folder: Path) -> list[str]:
    scene.searched  # noqa: B018
    told = [
        f'url = "{scene.far}{scene.site.index_url(name)}"\ncompressed\noutput = "{folder}/{name}"\n'
        for name in SEARCHED
    ]
    return curl_at_once(folder, told, 64)


_PARSE = Limit("json alone", "limit_parse", _file(""))
_WHOLE = (_PARSE, Limit("gzip alone", "limit_parse", _file(".gz")), Limit("curl", "curl", _curl))

COMPARISONS = (
    Comparison(
        "index",
        "`egg_index`, 50,000 entries, gzip",
        "egg_index",
        _index("egg_index"),
        must=1.8,
        aim=3.5,
        limits=_WHOLE,
    ),
    Comparison(
        "list",
        "`list_eggs`, 50,000 entries, gzip",
        "egg_index",
        _index("list_eggs"),
        must=3,
        aim=6,
        limits=_WHOLE,
    ),
    Comparison(
        "index-again",
        "`egg_index` again and again, unchanged (revalidated), each",
        "egg_index",
        _index("egg_index", before=3, times=5),
        must=3,
        aim=10,
        limits=(_PARSE,),
    ),
    Comparison(
        "search",
        "`search` of 50 repositories with 1,000 eggs each, 20 ms latency",
        "search",
        _search,
        must=0.77,
        peers=(Limit("curl, 64 at once", "curl", _curl_all),),
    ),
    Comparison(
        "index-again-fresh",
        "`egg_index` again, unchanged, in a fresh process",
        "egg_index",
        _index("egg_index"),
        before=_index("egg_index"),
        limits=(_PARSE,),
    ),
)
