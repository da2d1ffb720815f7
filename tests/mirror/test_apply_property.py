"""Whatever two repositories have: after a mirror, the target shows what the source shows.

And whatever changes from one night to the next: archives carry it across an air gap.
"""

from __future__ import annotations

import itertools
import json
import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hatcher import mirror
from hatcher.api import Organization, Repository, RetryPolicy
from hatcher.artefacts.python_tags import preference, usable_tags
from hatcher.errors import NotFoundError
from hatcher.mirror.contents import digest
from hatcher.testing import (
    BroodServer,
    FaultyGateway,
    RequestFault,
    write_app,
    write_bundle,
    write_egg,
    write_runtime,
)
from hatcher.transfer.hashing import file_sha256

from .conftest import PLATFORM, files

pytestmark = pytest.mark.long

ELSEWHERE = "osx-arm64"
TAGS = ("cp311", "cp38")
KINDS = ("eggs", "runtimes", "apps", "bundles")
PLACE: dict[str, Any] = {"platforms": [PLATFORM], "python_tags": TAGS}


class Slot(NamedTuple):
    """Something that a repository may have."""

    kind: str
    name: str
    tag: str | None
    platform: str = PLATFORM


class Content(NamedTuple):
    """What it has there: one of two contents, shown or not."""

    variant: int
    enabled: bool = True


#: Eggs with one name may hide each other.
EGGS = [
    Slot("eggs", "twin", "cp311"),
    Slot("eggs", "twin", "py38"),
    Slot("eggs", "twin", None),
    Slot("eggs", "Own", "cp311"),
    Slot("eggs", "Own", "cp38"),
    Slot("eggs", "any", None),
    Slot("eggs", "away", "cp311", ELSEWHERE),
]
OTHERS = [
    Slot("runtimes", "3.8.17+1", "cp38"),
    Slot("runtimes", "3.11.9+1", "cp311"),
    Slot("bundles", "tools", "cp38"),
    Slot("bundles", "any", "cp38"),
    Slot("apps", "any", "cp38"),
]

#: Pairs of repositories in each test, the same in each run; ``HATCHER_EXAMPLES`` sets how many.
FEW = settings(
    max_examples=int(os.environ.get("HATCHER_EXAMPLES", "4")),
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
)

State = dict[Slot, Content | None]

states: st.SearchStrategy[State] = st.fixed_dictionaries(
    {
        **{slot: st.none() | st.builds(Content, st.integers(0, 1), st.booleans()) for slot in EGGS},
        **{
            slot: st.none() | st.builds(Content, st.integers(0, 1), st.just(True))
            for slot in OTHERS
        },
    }
)

selections = st.sampled_from(
    [
        {},
        {"names": ["ANY", "t?in", "cpython"]},
        {"kinds": ["eggs"]},
        {"kinds": ["runtimes", "apps", "bundles"]},
    ]
)


@pytest.fixture(scope="module")
def acme(pair: list[BroodServer]) -> list[Organization]:
    return [server.client().organization("acme") for server in pair]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Makes the file of a slot and a variant, once."""

    @cache
    def make(slot: Slot, variant: int) -> Path:
        folder = tmp_path_factory.mktemp("made")
        if slot.kind == "eggs":
            return write_egg(
                folder,
                slot.name,
                platform=slot.platform,
                python_tag=slot.tag,
                payload_bytes=100 * (1 + variant),
            )
        if slot.kind == "runtimes":
            return write_runtime(folder, version=slot.name, build_revision=f"2.1.{variant}")
        if slot.kind == "bundles":
            return write_bundle(folder, slot.name, mark=variant)
        return write_app(folder, id=slot.name, description=f"variant {variant}")

    return make


class World:
    """Two repositories, and how to look at them."""

    _numbers = itertools.count()

    def __init__(self, acme: list[Organization], made: Any) -> None:
        self.made = made
        name = f"dev{next(self._numbers)}"
        self.source, self.target = (place.create_repository(name, "") for place in acme)

    def fill(self, repository: Repository, state: State) -> None:
        for slot, content in state.items():
            if content is None:
                continue
            file = self.made(slot, content.variant)
            if slot.kind == "eggs":
                repository.platform(slot.platform).upload_egg(file, enabled=content.enabled)
            else:
                getattr(repository, f"upload_{slot.kind.removesuffix('s')}")(file)

    def state(self, repository: Repository) -> State:
        """Ask for each slot by itself, whatever the indices show."""
        return {slot: self._content(repository, slot) for slot in [*EGGS, *OTHERS]}

    def _content(self, repository: Repository, slot: Slot) -> Content | None:
        platform = repository.platform(slot.platform)
        artefact: Any
        if slot.kind == "eggs":
            artefact = platform.egg(slot.tag, slot.name, "1.0.0-1")
        elif slot.kind == "runtimes":
            artefact = platform.runtime("cpython", slot.name)
        elif slot.kind == "bundles":
            artefact = platform.bundle(slot.tag, slot.name, "1.0.0-1")
        else:
            artefact = platform.app(slot.tag, slot.name, "1.10-2")
        try:
            metadata = artefact.metadata()
        except NotFoundError:
            return None
        if slot.kind == "eggs" and metadata["python_tag"] != slot.tag:
            return None
        enabled = metadata.get("enabled", True)
        for variant in (0, 1):
            if self._sha256(slot, variant) == (
                digest(metadata["data"]) if slot.kind in ("apps", "bundles") else metadata["sha256"]
            ):
                return Content(variant, enabled)
        raise AssertionError(f"{slot} has unknown content")

    @cache  # noqa: B019 - for one test
    def _sha256(self, slot: Slot, variant: int) -> str:
        file = self.made(slot, variant)
        if slot.kind in ("apps", "bundles"):
            return digest(json.loads(file.read_text()))
        return file_sha256(file)

    def check(self, before: State, source: State, some: dict[str, Any], prune: bool) -> None:
        """What is to be there is there, and what is none of our business is as it was."""
        after = self.state(self.target)
        for slot in before:
            had, wanted, has = before[slot], source[slot], after[slot]
            if not is_asked_for(slot, some):
                assert has == had, slot
            elif wanted is not None and is_listed(source, slot):
                assert has == Content(wanted.variant), slot
            elif wanted is not None and wanted.enabled:
                assert has in (had, wanted), slot
            elif prune and is_listed(before, slot):
                # After an interruption it may stand behind others, where no plan sees it.
                assert has is None or is_hidden(after, slot), slot
            elif not is_hidden(before, slot):
                assert has == had, slot


def is_asked_for(slot: Slot, some: dict[str, Any]) -> bool:
    name = "cpython" if slot.kind == "runtimes" else slot.name
    return (
        slot.platform == PLATFORM
        and slot.kind in some.get("kinds", KINDS)
        and ("names" not in some or name in ("any", "twin", "cpython"))
    )


def is_listed(state: State, slot: Slot) -> bool:
    """Whether an index of one of the tags shows it."""
    content = state[slot]
    if content is None or not content.enabled:
        return False
    return slot.kind != "eggs" or any(slot == shown_twin(state, slot, tag) for tag in TAGS)


def is_hidden(state: State, slot: Slot) -> bool:
    """Whether it is enabled, and stands behind another one of its name."""
    content = state[slot]
    return content is not None and content.enabled and not is_listed(state, slot)


def shown_twin(state: State, slot: Slot, tag: str) -> Slot | None:
    """Return which of the eggs of one name the index of a tag shows."""
    usable = usable_tags(tag)
    ranked = [
        (rank, other)
        for other, content in state.items()
        if (other.kind, other.name, other.platform) == (slot.kind, slot.name, slot.platform)
        and content is not None
        and content.enabled
        and (rank := preference(other.tag or "none", usable)) is not None
    ]
    return min(ranked)[1] if ranked else None


def shown(repository: Repository) -> Any:
    """What the indices say, but for times, and for the files of documents."""
    platform = repository.platform(PLATFORM)
    found = [
        *(platform.egg_index(tag) for tag in TAGS),
        platform.runtime_index(),
        platform.bundle_index(),
        platform.list_apps(),
    ]
    return json.loads(
        json.dumps(found),
        object_hook=lambda entry: {key: entry[key] for key in entry if key != "mtime"},
    )


def mirrored(source: Any, target: Any, prune: bool, some: dict[str, Any]) -> int:
    """Mirror until a plan says that there is nothing to do; return how often that was."""
    for rounds in range(4):
        plan = mirror.plan(source, target, prune=prune, **PLACE, **some)
        if not plan:
            return rounds
        read = mirror.Plan.from_document(json.loads(json.dumps(plan.document())), source, target)
        assert read == plan
        read.apply(journal=False).raise_for_failures()
    raise AssertionError(f"There is always something to do: {plan}")


def drawn(source: State, target: State) -> State:
    """What the target is to begin with: apps cannot be deleted, so it has none of its own."""
    return {
        slot: None if slot.kind == "apps" and source[slot] is None else content
        for slot, content in target.items()
    }


@FEW
@given(source=states, target=states, some=selections, prune=st.booleans())
def test_from_server_to_server(acme, made, source, target, some, prune):
    target = drawn(source, target)
    world = World(acme, made)
    world.fill(world.source, source)
    world.fill(world.target, target)
    rounds = mirrored(world.source, world.target, prune, some)
    # What stood behind something that was deleted shows only then.
    assert rounds <= 1 or any(is_hidden(target, slot) for slot in target)
    world.check(target, source, some, prune)
    assert world.state(world.source) == source
    if prune and not some:
        assert shown(world.target) == shown(world.source)


@FEW
@given(states=st.lists(states, min_size=2, max_size=2), target=states)
def test_through_a_folder(acme, made, tmp_path_factory, states, target):
    """One folder, filled on two nights, from which the second server is made what the first is."""
    folder = tmp_path_factory.mktemp("folder")
    (folder / "v1/acme/dev").mkdir(parents=True)
    world = World(acme, made)
    between = mirror.Folder(folder, "acme/dev")
    for state in states:
        source = acme[0].create_repository(f"night{next(World._numbers)}", "")
        world.fill(source, state)
        assert mirrored(source, between, True, {}) <= 1
    target = drawn(states[1], target)
    world.fill(world.target, target)
    assert mirrored(between, world.target, True, {}) <= 2
    # What stood in the folder since the first night, and behind others in the second, is kept;
    # what others hid in both has never come into it.
    there = "".join(files(folder))
    held = {
        slot: content
        if slot.kind != "eggs" or f"/{slot.tag}/{slot.name}-1.0.0-1.egg" in there
        else None
        for slot, content in states[1].items()
    }
    world.check(target, held, {}, True)
    # Where never anything was, there is no manifest either.
    assert not files(folder) or mirror.verify(folder)


@FEW
@given(
    source=states,
    target=states,
    faults=st.lists(
        st.builds(
            RequestFault,
            st.sampled_from(["reset", "cut"]),
            at=st.sampled_from(["request body", "answer", "answer body"]),
            skip=st.integers(0, 12),
            times=st.integers(1, 3),
        ),
        min_size=1,
        max_size=4,
    ),
    side=st.integers(0, 1),
)
def test_with_faults_the_same_after_repeating(pair, acme, made, source, target, faults, side):
    target = drawn(source, target)
    world = World(acme, made)
    world.fill(world.source, source)
    world.fill(world.target, target)
    ends = [world.source, world.target]
    with FaultyGateway(pair[side].url, *faults) as gateway:
        through = pair[side].client(url=gateway.url, retries=RetryPolicy(0))
        ends[side] = through.organization("acme").repository(ends[side].name)
        for _ in range(3):
            # Some plans, and some applies, cannot even read.
            with suppress(ConnectionError):
                mirror.plan(*ends, prune=True, **PLACE).apply()
    assert mirrored(world.source, world.target, True, {}) <= 3
    world.check(target, source, {}, True)
    assert shown(world.target) == shown(world.source)


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
