"""Old versions of eggs, which go by a plan, as what a mirror deletes does.

A plan of it is one of a mirror whose source is what is to stay of the target; so what `apply` does
holds here too. What is to stay is found out again when the plan is applied.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from time import time
from typing import Any, NamedTuple, TypeAlias

from attrs import frozen

from hatcher.artefacts.names import split_filename
from hatcher.artefacts.versions import built_key, upstream_of
from hatcher.core.bundles import Bundle
from hatcher.core.limits import most_deletes
from hatcher.core.organization import Organization
from hatcher.core.places import HIDDEN, Problem
from hatcher.core.repository import Repository, SinglePlatformRepository
from hatcher.errors import (
    HatcherException,
    InvalidArgumentError,
    UnsupportedAPIVersionError,
)
from hatcher.mirror.applying import states_of, too_many
from hatcher.mirror.bundles import closure_of
from hatcher.mirror.layout import order_of
from hatcher.mirror.plans import Plan
from hatcher.mirror.reading import Index, handle
from hatcher.mirror.records import Held, Options, State, Step
from hatcher.mirror.selection import Selection, usual_selection
from hatcher.mirror.server import Place, Server
from hatcher.mirror.sides import identify_all
from hatcher.transfer.batch import ByteCounter, checked_concurrency

#: Eggs by their paths, or why they stay.
_Eggs: TypeAlias = dict[str, Held]
_Reasons: TypeAlias = dict[str, str]

#: Why something stays that may be old enough, or not.
_UNKNOWN_AGE = "the server does not say how old it is"

_AGE = re.compile(r"\s*(\d{1,12})\s*([smhdwy])\s*", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}


class Policy(NamedTuple):
    """What is to stay.

    Attributes
    ----------
    keep : int
        The newest versions of each name and python tag.
    older_than : int or None
        In seconds: what is younger.
    except_referenced : bool
        What a bundle of the organization names.
    """

    keep: int
    older_than: int | None = None
    except_referenced: bool = False

    @classmethod
    def of(cls, keep: object, older_than: object, except_referenced: object) -> Policy:
        """Check what a caller says, or a plan that was kept.

        Raises
        ------
        InvalidArgumentError
            It cannot be.
        """
        if isinstance(keep, bool) or not isinstance(keep, int) or keep < 1:
            raise InvalidArgumentError(
                f"keep is {keep!r}; give the number of versions that are to stay, from 1."
            )
        if not isinstance(except_referenced, bool):
            raise InvalidArgumentError(
                f"except_referenced is {except_referenced!r}; give True or False."
            )
        return cls(keep, _seconds(older_than), except_referenced)


def _seconds(age: object) -> int | None:
    if age is None:
        return None
    if isinstance(age, timedelta):
        seconds = int(age.total_seconds())
    elif isinstance(age, str) and (match := _AGE.fullmatch(age)):
        seconds = int(match[1]) * _SECONDS[match[2]]
    else:
        seconds = 0
    if seconds < 1:
        raise InvalidArgumentError(
            f"{str(age)[:40]!r} is no age for the `older_than` argument. Give a number with a unit, "
            "such as '180d': s, m, h, d, w or y for seconds to years."
        )
    return seconds


@frozen
class Pruning(Plan):
    """A plan that deletes old versions of eggs; `prune` makes it.

    Its steps are ``delete``, or ``skip`` with the reason why the egg stays. All else is as of a
    `Plan`.
    """

    @property
    def of_unknown_age(self) -> tuple[Step, ...]:
        """The eggs that stay because the server does not say how old they are (`Step`)."""
        return tuple(step for step in self.steps if step.reason == _UNKNOWN_AGE)

    def document(self) -> dict[str, Any]:
        """Return the plan as what JSON can hold.

        Returns
        -------
        dict
            As of a `Plan`, and ``pruning``: ``keep``, ``older_than`` in seconds, and
            ``except_referenced``.
        """
        assert self._ends is not None and isinstance(self._ends[0], _Kept)
        return {**super().document(), "pruning": self._ends[0].policy._asdict()}

    @classmethod
    def read(cls, document: Mapping[str, Any], place: Place) -> Pruning:
        """Return a plan that was kept, to apply it.

        Parameters
        ----------
        document : dict
            As `document` returns it.
        place : Organization, Repository or SinglePlatformRepository
            The place that it was made of.

        Returns
        -------
        Pruning

        Raises
        ------
        InvalidArgumentError
            It is no such plan, is of another version, or of another place.
        """
        said = document.get("pruning") if isinstance(document, Mapping) else None
        if not isinstance(said, Mapping) or said.keys() != set(Policy._fields):
            raise InvalidArgumentError(
                "This is no plan to prune a place. Give what Pruning.document says."
            )
        age = said["older_than"]
        seconds = f"{age}s" if type(age) is int else age
        policy = Policy.of(said["keep"], seconds, said["except_referenced"])
        kept = _Kept(_checked_place(place), policy)
        made = cls.from_document(document, kept, kept.whole)
        assert isinstance(made, Pruning)
        return made


def prune(
    place: Place,
    keep: int,
    *,
    older_than: str | timedelta | None = None,
    names: Iterable[str] | None = None,
    except_referenced: bool = False,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    max_deletes: int | None = None,
    concurrency: int | None = None,
) -> Pruning:
    """Say which old versions of eggs have to go; deletes nothing before the plan is applied.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag, as `plan` does, and with `older_than` once more for those with old
    versions. With `except_referenced` also
    ``GET /indices/{organization}/{repository}/{platform}/bundles`` of all repositories of the
    organization, ``GET /admin/organizations/{organization}/teams``, which its administrators alone
    may ask, and the metadata of each bundle.

    Of each name and python tag on each platform the newest versions stay, as the field orders
    them; builds are versions, and so are pre-releases. Eggs that are disabled do not count, and
    are never deleted; nor are those whose version cannot be read. When an index or a bundle cannot
    be read, nothing is to be deleted, and the plan says so among its problems.

    Parameters
    ----------
    place : Organization, Repository or SinglePlatformRepository
    keep : int
        How many versions are to stay, from 1.
    older_than : str or datetime.timedelta, optional
        Keep what is younger, such as ``'180d'``, by the ``mtime`` of the index; what has none
        stays, too.
    names : iterable of str, optional
        Names of eggs, or shell patterns of these such as ``numpy*``. By default all.
    except_referenced : bool, default False
        Keep what a bundle of the organization names, in whatever repository.
    platforms, python_tags : iterable of str, optional
        As for `plan`; by default all.
    max_deletes : int, optional
        As for `plan`: when there is more, nothing is deleted. By default a tenth of the eggs, but
        at least 10.
    concurrency : int, optional
        How many questions at once at most, 64 by default.

    Returns
    -------
    Pruning

    Raises
    ------
    InvalidArgumentError
        An argument cannot be used.
    UnsupportedAPIVersionError
        Bundles are asked for, and the client speaks API version 0.
    HatcherException
        The place could not be read at all.

    Examples
    --------
    >>> plan = mirror.prune(client.at('acme/dev'), keep=3, older_than='180d')
    >>> print(plan)
    >>> plan.apply().raise_for_failures()
    """
    policy = Policy.of(keep, older_than, except_referenced)
    kept = _Kept(_checked_place(place), policy)
    version = kept.version
    if except_referenced and version < 1:
        raise UnsupportedAPIVersionError(
            f"API version {version} has no bundles, so that nobody can say what they name. Make "
            "the client with api_version=1, or leave except_referenced out."
        )
    selection = usual_selection(version, ["eggs"], platforms, python_tags, names)
    most_deletes(0, max_deletes)
    options = Options(checked_concurrency(concurrency))
    here, there = states_of((kept, kept.whole), selection, options)
    problems = here.problems or identify_all(kept.whole, kept.doomed, options)
    doomed = {} if problems else kept.doomed
    steps = [
        Step("delete", path, one.size, None, one.sha256)
        if path in doomed
        else Step("skip", path, one.size, None, one.sha256, kept.reasons.get(path))
        for path, one in sorted(there.held.items(), key=lambda held: order_of(held[0]))
    ]
    most = most_deletes(len(there.held), max_deletes)
    if len(doomed) > most:
        problems.append(too_many(kept.whole, len(doomed), most))
    told = tuple(steps), tuple(problems), selection
    return Pruning(str(kept), str(kept.whole), *told, True, most, (kept, kept.whole))


def _checked_place(place: object) -> Place:
    if not isinstance(place, Organization | Repository | SinglePlatformRepository):
        raise InvalidArgumentError(
            f"{place!r} cannot be pruned. Give an organization, a repository or a platform of one."
        )
    return place


# -- the two sides, which are read once ---------------------------------------------------------


class _Whole(Server):
    """The place itself, as it was read to find out what is to stay."""

    follows = True
    read: State | None = None

    def state(self, selection: Selection, concurrency: int | None = None) -> State:
        """Return what was read, since what came meanwhile is not to be taken for old."""
        read, self.read = self.read, None
        return super().state(selection, concurrency) if read is None else read


class _Kept(Server):
    """What is to stay of a place.

    Attributes
    ----------
    whole : _Whole
        The place.
    reasons : dict of str to str
        Why something stays, by its path.
    doomed : dict of str to Held
        What does not.
    """

    def __init__(self, place: Place, policy: Policy) -> None:
        super().__init__(place)
        self.policy = policy
        self.whole = _Whole(place)
        self.reasons: _Reasons = {}
        self.doomed: _Eggs = {}

    def state(self, selection: Selection, concurrency: int | None = None) -> State:
        """Read the place, and return what is to stay."""
        read = super().state(selection, concurrency)
        # What could not be read is said once.
        whole = State(read.held, [], read.selection, read.repositories, read.missing, read.reading)
        self.whole.read = whole
        options = Options(checked_concurrency(concurrency))
        self.doomed = dict(read.held)
        self.reasons, problems = {}, list(read.problems)
        self._stay(_newest(read.held, self.policy.keep))
        self._stay(self._young(options))
        if self.policy.except_referenced and self.doomed:
            self._stay(self._named(selection, options, problems))
        held = {path: one for path, one in read.held.items() if path not in self.doomed}
        return State(held, problems, read.selection, read.repositories, read.missing)

    def look_for(self, folders: Collection[str], state: State) -> None:
        """Do nothing: what is to stay has been read."""

    def __str__(self) -> str:
        return f"what stays of {super().__str__()}"

    def _stay(self, reasons: _Reasons) -> None:
        self.reasons.update(reasons)
        for path in reasons:
            self.doomed.pop(path, None)

    def _young(self, options: Options) -> _Reasons:
        """Return what is not old enough, or may not be."""
        if self.policy.older_than is None:
            return {}
        indices: dict[Index, Mapping[str, Mapping[str, Any]]] = {}

        def read(index: Index, _: ByteCounter) -> None:
            indices[index] = index.platform.egg_index(index.python_tag)

        options.each(list({one.origin for one in self.doomed.values()}), read)
        reasons: _Reasons = {}
        latest = time() - self.policy.older_than
        for path, one in self.doomed.items():
            entry = indices[one.origin].get(path.rpartition("/")[2], {})
            is_same = str(entry.get("sha256")).lower() == str(one.sha256).lower()
            changed = _time(entry.get("mtime")) if is_same else None
            if changed is None:
                reasons[path] = _UNKNOWN_AGE
            elif changed > latest:
                reasons[path] = "it is not old enough"
        return reasons

    def _named(self, selection: Selection, options: Options, problems: list[Problem]) -> _Reasons:
        """Return what bundles of the organization name."""
        organization = self.client.organization(self.names[0])
        try:
            organization.list_teams()
        except HIDDEN as error:
            problems.append(Problem(organization.name, _unseen(organization.name, error)))
            return {}
        platforms = [self.place.name] if len(self.names) == 3 else selection.platforms
        bundles = usual_selection(self.version, ["bundles"], platforms, None, None)
        found = Server(organization).state(bundles, options.concurrency)
        problems += found.problems
        naming: dict[tuple[str, str], str] = {}

        def read(path: str, _: ByteCounter) -> None:
            try:
                bundle = handle(path, found.held[path])
                assert isinstance(bundle, Bundle)
                for need in closure_of(bundle).needs:
                    naming.setdefault((need.name.lower(), need.version), str(bundle))
            except HatcherException as error:
                problems.append(Problem(f"{organization.name}/{path}", error))

        options.each(list(found.held), read)
        reasons: _Reasons = {}
        for path in self.doomed:
            name, version = split_filename(path.rpartition("/")[2])
            # The oldest bundles name no build.
            for named in (version, upstream_of(version)):
                if (bundle := naming.get((name.lower(), named))) is not None:
                    reasons[path] = f"the bundle {bundle} names it"
        return reasons


def _newest(eggs: _Eggs, keep: int) -> _Reasons:
    """Return the newest versions of each name in each folder, and what is no version."""
    reasons: _Reasons = {}
    groups: dict[tuple[str, str], list[tuple[Any, str]]] = defaultdict(list)
    for path, one in eggs.items():
        folder, _, filename = path.rpartition("/")
        name, version = split_filename(filename)
        (unread, *_), _ = key = built_key(version), path
        if one.wrong is not None:
            reasons[path] = str(one.wrong)
        elif unread:
            reasons[path] = "its version cannot be read"
        else:
            groups[folder, name.lower()].append(key)
    for versions in groups.values():
        for _, path in sorted(versions)[-keep:]:
            reasons[path] = f"it is one of the newest {keep}" if keep > 1 else "it is the newest"
    return reasons


def _time(seconds: object) -> float | None:
    """Return a time that an index says; some say 0 for none."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def _unseen(organization: str, error: Exception) -> HatcherException:
    unseen = HatcherException(
        f"Only an administrator of the organization '{organization}' sees all of its repositories: "
        "nobody else can say what their bundles name, so nothing is deleted. Ask one to prune, or "
        "leave except_referenced out."
    )
    unseen.__cause__ = error
    return unseen
