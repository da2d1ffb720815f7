"""How much room artefacts take on a server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias, get_args

from attrs import asdict, define, frozen

from hatcher.core.brood_client import BroodClient
from hatcher.core.places import (
    Problem,
    administered_repositories,
    available_repositories,
    documents_of,
    lines_of,
)
from hatcher.errors import InvalidArgumentError
from hatcher.mirror.layout import name_and_version, parse
from hatcher.mirror.reading import Reading
from hatcher.mirror.records import Held
from hatcher.mirror.selection import Selection, usual_selection
from hatcher.mirror.server import Place, Server
from hatcher.mirror.sides import read_state
from hatcher.sizes import human_size
from hatcher.transfer.batch import AT_ONCE, checked_concurrency

By: TypeAlias = Literal["organization", "repository", "platform", "name"]

#: What there is a share for, from the outermost; by default for what is right below the place.
BY: tuple[By, ...] = get_args(By)


@define
class Share:
    """What the artefacts of an organization, a repository, a platform or a name take.

    Parameters
    ----------
    name : str
        Such as ``acme``, ``acme/dev``, ``rh8-x86_64`` or ``numpy``.
    artefacts : int
        How many there are.
    size : int
        The bytes of those whose size the server tells.
    unsized : int
        How many others there are: of runtimes, apps and bundles, no index tells it.
    """

    name: str
    artefacts: int = 0
    size: int = 0
    unsized: int = 0

    def _add(self, held: Held) -> None:
        self.artefacts += 1
        self.size += held.size or 0
        self.unsized += held.size is None


@frozen
class Usage:
    """How much room the artefacts of a place take.

    Parameters
    ----------
    place : str
        Such as ``acme/dev``, or the URL of the server.
    by : {'organization', 'repository', 'platform', 'name'}
        What there is a share for.
    shares : tuple of Share
        The largest first.
    problems : tuple of Problem
        What could not be read, so that nothing of it is counted.
    """

    place: str
    by: By
    shares: tuple[Share, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def total(self) -> Share:
        """All shares together, by the name of the place."""
        counts = [(share.artefacts, share.size, share.unsized) for share in self.shares]
        return Share(self.place, *map(sum, zip((0, 0, 0), *counts, strict=True)))

    def document(self) -> dict[str, Any]:
        """Return it as what JSON can hold.

        Returns
        -------
        dict
            ``place``, ``by``, ``shares`` (each with ``name``, ``artefacts``, ``size`` and
            ``unsized``) and ``problems`` (each with ``place`` and ``error``).
        """
        shares = [asdict(share) for share in self.shares]
        problems = documents_of(self.problems)
        return {"place": self.place, "by": self.by, "shares": shares, "problems": problems}

    def __bool__(self) -> bool:
        return not self.problems

    def __str__(self) -> str:
        total = self.total
        number = f"{total.artefacts:,} artefact{'' if total.artefacts == 1 else 's'}"
        line = f"{self.place}: {number}, {human_size(total.size)}"
        if total.unsized:
            line += f"; the server does not say the size of {total.unsized:,}"
        return "\n".join([line, *lines_of(self.problems)])


def usage(
    place: BroodClient | Place,
    *,
    by: By | None = None,
    kinds: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    concurrency: int = AT_ONCE,
) -> Usage:
    """Find out how much room artefacts take, from what the indices say.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag, and likewise for runtimes, apps and bundles

    Each egg counts once, however many indices show it. Those that are disabled are in no index.

    Parameters
    ----------
    place : BroodClient, Organization, Repository or SinglePlatformRepository
        A client stands for all repositories that it may see.
    by : {'organization', 'repository', 'platform', 'name'}, optional
        What there is to be a share for; by default what is right below the place.
    kinds : iterable of {'eggs', 'runtimes', 'apps', 'bundles'}, optional
        By default all, with API version 0 only eggs.
    platforms, python_tags, names : iterable of str, optional
        As for `plan`; by default all. With platforms and python tags, fewer indices are read: of
        a repository there may be a thousand.
    concurrency : int, default 64
        How many indices to read at once.

    Returns
    -------
    Usage
        What could not be read is among its problems.

    Raises
    ------
    InvalidArgumentError
        An argument cannot be used; nothing was sent.
    HatcherException
        Nothing at all could be read.

    Examples
    --------
    >>> for share in mirror.usage(client.organization('acme'), by='name').shares[:3]:
    ...     print(share.name, share.size)
    """
    if by is None:
        by = BY[len(place._names)]
    elif by not in BY:
        raise InvalidArgumentError(f"by is {by!r}; choose of: {', '.join(BY)}.")
    version, number = place._session.api_version, checked_concurrency(concurrency)
    selection = usual_selection(version, kinds, platforms, python_tags, names)
    held, problems = _read(place, selection, number)
    shares: dict[str, Share] = {}
    for path, one in held.items():
        name = _name_of(path, by)
        shares.setdefault(name, Share(name))._add(one)
    ordered = sorted(shares.values(), key=lambda share: (-share.size, share.name))
    where = place.url if isinstance(place, BroodClient) else str(Server(place))
    return Usage(where, by, tuple(ordered), tuple(problems))


def _read(
    place: BroodClient | Place, selection: Selection, concurrency: int
) -> tuple[Mapping[str, Held], list[Problem]]:
    """Return what a place has, by its path in the layout, and what could not be read."""
    if isinstance(place, BroodClient):
        # Also those of which only the index may be read, which tells what is asked here.
        names = {*available_repositories(place, indexable=True), *administered_repositories(place)}
        pairs = [name.partition("/") for name in sorted(names)]
        reading = Reading(
            place, selection._replace(repositories=tuple((o, r) for o, _, r in pairs)), concurrency
        )
        return reading.held, reading.problems
    side = Server(place)
    state = read_state(side, selection, concurrency)
    return {f"{side.prefix}{path}": held for path, held in state.held.items()}, state.problems


def _name_of(path: str, by: By) -> str:
    """Return which share something at a path in the layout belongs to."""
    location = parse(path)
    if by == "name":
        return name_and_version(location.kind, location.filename)[0].lower()
    return {
        "organization": location.organization,
        "repository": location.place,
        "platform": location.platform,
    }[by]
