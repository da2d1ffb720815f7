"""How soon a process can do something."""

from __future__ import annotations

from pathlib import Path

from scripts.bench.comparison import Comparison, JobMaker, Limit
from scripts.bench.scene import AUTH, Scene


def _told(*arguments: str) -> JobMaker:
    return lambda scene, folder: arguments


def _first_answer(scene: Scene, folder: Path) -> list[str]:
    scene.site  # noqa: B018
    return [scene.http, *AUTH, ""]


def _first_answer_tls(scene: Scene, folder: Path) -> list[str]:
    scene.site  # noqa: B018
    return [scene.https, *AUTH, str(scene.authority)]


_PYTHON = Limit("Python alone", "bare", _told())

COMPARISONS = (
    Comparison("import", "`import hatcher.api`", "importing", _told(), must=4, aim=8),
    Comparison(
        "first-answer",
        "first answer of a fresh process (import, client, one GET)",
        "first_answer",
        _first_answer,
        must=2,
        figure="process",
        limits=(_PYTHON,),
    ),
    Comparison(
        "first-answer-tls",
        "first answer over TLS",
        "first_answer",
        _first_answer_tls,
        figure="process",
        limits=(_PYTHON,),
    ),
    Comparison(
        "cli-help",
        "`hatcher --help`",
        "command_line",
        _told("", "--help"),
        must=4,
        figure="process",
        limits=(_PYTHON,),
    ),
    Comparison(
        "cli-completion",
        "completion of a command in a shell",
        "command_line",
        _told("hatcher eggs up"),
        must=3,
        figure="process",
        limits=(_PYTHON,),
    ),
)
