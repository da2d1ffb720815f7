#!/usr/bin/env python
"""Draw the house: its packages as rooms, the lines of code in them, and what imports what.

::

    python -m scripts.picture             write docs/house.svg
    python -m scripts.picture --check     change nothing; fail if it is not up to date

A room stands above all that it imports, and an arrow is left out where others lead the same way.
The figures are rounded, and only drawn anew when they are wrong by a tenth.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TypeAlias

from scripts.common import only_check, renew
from scripts.line_budget import ROOT, Source, Tree

PICTURE = Path("docs/house.svg")
#: Modules that are rooms of their own; the others beside the packages share one, at the bottom.
OWN = ("api", "endpoints")
GROUND = "errors"
#: Where the middle of a room is, in parts of the width, and what people call it.
ROOMS = {
    "tests": (0.91, "of all rooms"),
    "cli": (0.34, "the command line"),
    "testing": (0.66, "for users' own tests"),
    "aio": (0.5, "for async programs"),
    "mirror": (0.15, "whole repositories"),
    "access": (0.34, "who may do what"),
    "api": (0.5, "public names"),
    "core": (0.33, "the graph"),
    "server": (0.66, "the embedded Brood"),
    "transfer": (0.45, "moving files"),
    "endpoints": (0.45, "the seam"),
    "artefacts": (0.14, "what local files say"),
    "transport": (0.42, "the session"),
    "files": (0.62, "safe on the disk"),
    "errors": (0.38, "and what all rooms stand on"),
    "generated": (0.91, "the raw client"),
    "description": (0.91, "openapi/brood.yaml"),
}
ELSEWHERE = (0.6, "")
OUTSIDE = ("tests", "generated", "description")
#: In pixels: the picture, from floor to floor, a room, where the floors begin, the right wall.
WIDTH, FLOOR, HIGH, TOP, WALL = 980, 94, 58, 118, 790

STYLE = """\
text { font-family: "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif; fill: #33291a }
text { text-anchor: middle }
.name { font-size: 15px; font-weight: 600 }
.words, .count { font-size: 11px; fill: #7a6a52 }
.sky { fill: #fdf9f1 } .house { fill: #f6ecd9; stroke: #b98a3c; stroke-width: 2 }
.room { fill: #ffffff; stroke: #d8bf8f; stroke-width: 1.2 } .outside { stroke-dasharray: 4 3 }
.arrow { fill: none; stroke: #a0845a; stroke-width: 1.5 } .head { fill: #a0845a }
.made { stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
text { fill: #f3ead9 } .words, .count { fill: #b9a98e } .sky { fill: #17140f }
.house { fill: #251f16; stroke: #c2933f } .room { fill: #332b1f; stroke: #6d5a3a }
.arrow { stroke: #b79a6b } .head { fill: #b79a6b }
}
"""


#: The middle of a room, its top and its width.
Box: TypeAlias = tuple[int, int, int]


def room_of(module: str) -> str:
    """Return the room of a module, or ``""``."""
    first, _, rest = module.partition(".")
    if first in ("brood_api", "generated"):
        return "generated"
    name = rest.partition(".")[0]
    if first != "hatcher" or not name or name.startswith("__"):
        return first if first == "tests" else ""
    if (ROOT / "hatcher" / name).is_dir() or name in OWN:
        return name
    return GROUND if (ROOT / f"hatcher/{name}.py").exists() else ""


def imported_by(source: Source) -> set[str]:
    """Return the rooms that a module needs, for its types, too; the description is read as data."""
    found = {room_of(name) for name, _ in source.imported(types=True)}
    if '"brood_api"' in "".join(source.lines):
        found.add("generated")
    return found - {""}


def rooms(tree: Tree) -> tuple[dict[str, int], dict[str, set[str]]]:
    """Return the lines of code of each room, and which others it imports."""
    lines: dict[str, int] = {}
    needs: dict[str, set[str]] = {}
    for source in tree.sources:
        if room := room_of(source.module):
            lines[room] = lines.get(room, 0) + len(source.code)
            needs.setdefault(room, set()).update(imported_by(source) - {room})
    return lines, needs


def direct(needs: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Leave out what is also reached by way of another room."""
    below: dict[str, set[str]] = {}
    for room in TopologicalSorter(needs).static_order():
        below[room] = set().union(*({other, *below[other]} for other in needs.get(room, ())))
    return {
        room: {one for one in others if not any(one in below[other] for other in others)}
        for room, others in needs.items()
    }


def floors(needs: Mapping[str, set[str]]) -> dict[str, int]:
    """Return for each room how many others stand below it, one on the other."""
    found: dict[str, int] = {}
    for room in TopologicalSorter(needs).static_order():
        found[room] = 1 + max((found[other] for other in needs.get(room, ())), default=-1)
    return found


def picture(shown: Mapping[str, int]) -> str:
    """Return the SVG; figures that have been shown stay as long as they are about right."""
    lines, needs = rooms(Tree(ROOT, ("hatcher", "generated", "tests")))
    floor = floors({room: needs[room] for room in needs if room != "tests"})
    top = max(floor.values())
    floor |= {"tests": top, "generated": 1, "description": 0}
    arrows = direct(needs)
    del arrows["tests"]
    boxes = {room: box(room, lines.get(room, 0), top - floor[room]) for room in floor}
    bottom = TOP + (top + 1) * FLOOR
    gable = f"M20 {bottom - 16}V{TOP - 18}L{(WALL + 20) // 2} 16L{WALL} {TOP - 18}V{bottom - 16}Z"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom}">',
        "<title>The house: its rooms, and what imports what</title>",
        f"<style>\n{STYLE}</style>",
        f'<rect class="sky" width="{WIDTH}" height="{bottom}" rx="14"/>',
        f'<path class="house" d="{gable}"/>',
        text((WALL + 20) // 2, 76, "name", "hatcher"),
        *(arrow(boxes[room], boxes[other]) for room in arrows for other in sorted(arrows[room])),
        outside(*(boxes[room] for room in OUTSIDE)),
    ]
    for room, (x, y, wide) in boxes.items():
        more = " outside" if room in OUTSIDE else ""
        figure = rounded(lines.get(room, 0), shown.get(room))
        parts += [
            f'<g id="{room}"><rect class="room{more}" x="{x - wide // 2}" y="{y}" '
            f'width="{wide}" height="{HIGH}" rx="7"/>',
            text(x, y + 21, "name", room),
            text(x, y + 36, "words", ROOMS.get(room, ELSEWHERE)[1]),
            text(x, y + 50, "count", f"{figure:,} lines" if figure else "made into it"),
            "</g>",
        ]
    return "\n".join([*parts, "</svg>\n"])


def box(room: str, lines: int, above: int) -> Box:
    """Return the middle of a room, its top and its width."""
    words = ROOMS.get(room, ELSEWHERE)
    wide = max(104, 7 * len(words[1])) + 2 * round(lines**0.5 / 2.5)
    return round(words[0] * WIDTH), TOP + above * FLOOR, 150 if words[0] > 0.9 else wide


def text(x: int, y: int, kind: str, words: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{words}</text>'


def arrow(start: Box, end: Box) -> str:
    """Draw an arrow down, from the floor of a room to the ceiling of another one."""
    (x, y, wide), (to_x, to_y, to_wide) = start, end
    y += HIGH
    side = max(-1.0, min(1.0, (to_x - x) / 300))
    x, to_x = round(x + side * wide * 0.3), round(to_x - side * to_wide * 0.3)
    # Aside at once, between two floors, and then straight down, past whatever room is there.
    gap = FLOOR - HIGH - 7
    way = f"M{x} {y}C{x} {y + gap - 6} {to_x} {y + 6} {to_x} {y + gap}V{to_y - 7}"
    return line(way, f"M{to_x} {to_y}l-5 -9h10Z")


def outside(tests: Box, client: Box, description: Box) -> str:
    """Draw the arrows from the tests to the house, and from the description to what is made of it."""
    x, y = tests[0] - tests[2] // 2, tests[1] + HIGH // 2
    made, below = client[0], client[1] + HIGH
    house = line(f"M{x} {y}H{WALL + 8}", f"M{WALL + 1} {y}l9 -5v10Z")
    up = f"M{made} {description[1]}V{below + 8}"
    return house + "\n" + line(up, f"M{made} {below + 1}l-5 9h10Z", "arrow made")


def line(way: str, head: str, kind: str = "arrow") -> str:
    return f'<path class="{kind}" d="{way}"/><path class="head" d="{head}"/>'


def rounded(lines: int, shown: int | None) -> int:
    """Return about how many lines there are."""
    if shown is not None and abs(lines - shown) <= max(50, lines / 10):
        return shown
    return round(lines, -2 if lines >= 100 else -1)


def main(arguments: list[str] | None = None) -> int:
    """Draw or check; return the exit status."""
    check = only_check(arguments, __doc__)
    drawn = (ROOT / PICTURE).read_text("utf-8") if check else ""
    figures = re.findall(r'<g id="(\w+)">(?:(?!</g>).)*?>([\d,]+) lines', drawn, re.DOTALL)
    shown = {room: int(figure.replace(",", "")) for room, figure in figures}
    return renew(ROOT, PICTURE, picture(shown), "picture", check=check)


if __name__ == "__main__":
    sys.exit(main())
