"""Whatever changes from one night to the next: archives carry it across an air gap."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatcher import mirror

from .conftest import PLATFORM
from .test_apply_property import (
    FEW,
    TAGS,
    World,
    acme,
    drawn,
    made,
    servers,
    states,
)

__all__ = ["acme", "made", "servers"]

pytestmark = pytest.mark.long

PLACE: dict[str, Any] = {"platforms": [PLATFORM], "python_tags": TAGS}


#: Pairs of nights, the same in each run.
FEWER = settings(FEW, max_examples=int(os.environ.get("HATCHER_EXAMPLES", "3")))


@FEWER
@given(
    nights=st.lists(states, min_size=2, max_size=2), target=states, word_from_there=st.booleans()
)
def test_two_nights(acme, made, tmp_path_factory, nights, target, word_from_there):
    """The second archive is packed for what the other side says, or for what the first one says."""
    folder = tmp_path_factory.mktemp("carried")
    world = World(acme, made)
    target = drawn(nights[0], drawn(nights[1], target))
    world.fill(world.target, target)
    lacking: Any = mirror.manifest(world.target, **PLACE)
    for number, night in enumerate(nights):
        # Apps cannot be deleted, on neither side.
        night = {
            slot: content or nights[0][slot] if slot.kind == "apps" and number else content
            for slot, content in night.items()
        }
        source = acme[0].create_repository(f"night{next(World._numbers)}", "")
        world.fill(source, night)
        archive = folder / f"{number}.zip"
        mirror.pack(source, archive, lacking=lacking, **PLACE).raise_for_failures()
        assert mirror.verify(archive)
        before = world.state(world.target)
        rounds = 0
        while plan := mirror.plan(archive, world.target, prune=True, **PLACE):
            assert not plan.problems
            for step in plan.those("conflict"):
                # Eggs of one name hide each other, and an archive cannot be asked.
                assert "nobody can say whether it is there" in str(step.reason), step
                assert "/twin-" in step.path
            if plan.those("conflict"):
                return
            plan.apply(journal=False).raise_for_failures()
            # What stood behind something that was deleted shows only then.
            rounds += 1
            assert rounds <= 2
        world.check(before, night, {}, True)
        assert mirror.verify(world.target, archive, **PLACE)
        assert mirror.verify(world.target, source, **PLACE)
        lacking = mirror.manifest(world.target, **PLACE) if word_from_there else archive
