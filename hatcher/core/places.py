"""Which places there are, which indices each has, and which of them could not be read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from hatcher.artefacts.python_tags import NO_TAG, rank
from hatcher.errors import (
    HatcherException,
    InvalidResponseError,
    NotFoundError,
    PermissionDeniedError,
)
from hatcher.tables import first_lines
from hatcher.transport.value import Value

if TYPE_CHECKING:
    from hatcher.core.node import Node
    from hatcher.core.platform import SinglePlatformRepository

#: Who may not know of something is told that it is not there.
HIDDEN = (NotFoundError, PermissionDeniedError)


class Problem(Value):
    """A place of which nothing is known, or to which nothing can go.

    Parameters
    ----------
    place : str
        Such as ``acme/dev``, or ``acme/dev/rh8-x86_64 eggs``.
    error : Exception
        Why.
    """

    __match_args__ = ("place", "error")
    __slots__ = __match_args__

    place: str
    error: Exception

    def __init__(self, place: str, error: Exception) -> None:
        super().__init__(place, error)

    def __str__(self) -> str:
        return f"{self.place}: {self.error}"


def documents_of(problems: Iterable[Problem]) -> list[dict[str, str]]:
    """Return problems as what JSON can hold."""
    return [{"place": problem.place, "error": str(problem.error)} for problem in problems]


def problems_in(documents: Iterable[Mapping[str, str]]) -> tuple[Problem, ...]:
    """Return the problems that such documents tell of."""
    return tuple(Problem(each["place"], HatcherException(each["error"])) for each in documents)


def lines_of(problems: Iterable[Problem]) -> list[str]:
    """Return what is said of problems at the end of a summary."""
    return first_lines([f"problem: {problem}" for problem in problems])


class IndexOf(NamedTuple):
    """An index: of eggs for a python tag, or of runtimes, apps or bundles."""

    platform: SinglePlatformRepository
    kind: Any
    python_tag: str | None


def access_levels(node: Node) -> dict[str, str | None]:
    """Return the access levels by the repositories' names; None where the server says none."""
    repositories = node._list("list_available_repositories", "repositories", "name")
    return {repository["name"]: repository.get("access") for repository in repositories}


def available_repositories(node: Node, *, indexable: bool = False) -> list[str]:
    """Return what `BroodClient.list_available_repositories` does, by any node of the client."""
    if node._session.api_version == 0:
        operation = "list_available_repositories"
        return node._list(operation, "repositories", include_indexable=indexable)
    levels = access_levels(node).items()
    return [name for name, access in levels if indexable or access != "read_index"]


def repositories_of(node: Node) -> list[tuple[str, str]]:
    """Return all repositories that the caller may use."""
    usable = set(available_repositories(node))
    # Of these only the index may be read.
    indexable = set(available_repositories(node, indexable=True)) - usable
    usable |= administered_repositories(node)
    pairs = (name.partition("/") for name in usable - indexable)
    return sorted((organization, repository) for organization, _, repository in pairs)


def administered_repositories(node: Node) -> set[str]:
    """Return the repositories that administrators are told of; what others may use is listed."""
    organizations: list[str] = []
    if not node._session.is_anonymous:
        with suppress(*HIDDEN):
            organizations = node._list("list_organizations", "organizations")
    found: set[str] = set()
    for organization in organizations:
        with suppress(*HIDDEN):
            found.update(f"{organization}/{name}" for name in _repositories(node, organization))
    return found


def existing_repositories(node: Node, organization: str, *, indexable: bool = False) -> set[str]:
    """Return the repositories of an organization, as far as they can be known.

    Parameters
    ----------
    node : Node
        Any of the client.
    organization : str
    indexable : bool, default False
        Also those of which only the index may be read.

    Raises
    ------
    NotFoundError, PermissionDeniedError
        There is no such organization, or nothing of it may be seen.
    """
    try:
        return set(_repositories(node, organization))
    except HIDDEN:
        # It takes an administrator to list them; what one may use is told to everybody.
        listed = available_repositories(node, indexable=indexable)
        pairs = [name.partition("/") for name in listed]
        names = {name for owner, _, name in pairs if owner == organization}
        if not names:
            raise
        return names


def _repositories(node: Node, organization: str) -> list[str]:
    return node._list("list_repositories", "repositories", organization=organization)


@contextmanager
def understanding(what: str) -> Iterator[None]:
    """Make sense of an index; raise `InvalidResponseError` where there is none."""
    try:
        yield
    except HatcherException:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidResponseError(
            f"The index of {what} cannot be understood: it is not laid out as Brood does. Tell "
            "the administrators of the server."
        ) from error


class Shadows:
    """Which eggs with a shared tag, such as ``py3``, may be shown by no index of one Python.

    Of eggs of one name, an index shows the one alone that suits its Python best.
    """

    def __init__(self) -> None:
        #: Names of eggs that may hide one with a shared tag, in all indices that would show it.
        self._hiding: dict[tuple[SinglePlatformRepository, str], set[str]] = {}

    def note(
        self,
        platform: SinglePlatformRepository,
        own: str | None,
        names: Mapping[str | None, Collection[str]],
        shared_tags: Collection[str],
    ) -> None:
        """Note what an index shows: the names of its eggs, by their tags."""
        for shared in shared_tags:
            suits = rank(shared, own or "")
            known = self._hiding.get((platform, shared))
            if suits is None or known == set():
                continue
            here: set[str] = set()
            for tag, filenames in names.items():
                other = rank(tag or NO_TAG, own or "")
                if (tag or NO_TAG) != shared and (other is None or other <= suits):
                    here.update(filenames)
            self._hiding[platform, shared] = here if known is None else known & here

    def may_hide(self, platform: SinglePlatformRepository, shared: str) -> bool:
        """Whether there may be eggs with a shared tag that only its own index shows."""
        return bool(self._hiding.get((platform, shared)))


def problems_of(answers: Mapping[IndexOf, Exception | None]) -> list[Problem]:
    """Say of each place once what is wrong with it; of a repository, when it is all of it."""
    places: dict[str, dict[IndexOf, Exception | None]] = defaultdict(dict)
    for index, error in answers.items():
        on = index.platform
        places[f"{on.organization_name}/{on.repository_name}"][index] = error
    problems: dict[str, Exception] = {}
    for place, those in places.items():
        hidden = [error for error in those.values() if isinstance(error, HIDDEN)]
        if len(hidden) == len(those):
            problems[place] = hidden[0]
            continue
        kinds: dict[SinglePlatformRepository, dict[str, Exception | None]] = defaultdict(dict)
        for index, error in those.items():
            of_platform = kinds[index.platform]
            of_platform[index.kind] = of_platform.get(index.kind) or error
        for platform, errors in kinds.items():
            failed = {kind: error for kind, error in errors.items() if error is not None}
            is_whole = len(errors) > 1 and len(failed) == len(errors)
            if is_whole and len({type(error) for error in failed.values()}) == 1:
                problems[str(platform)] = next(iter(failed.values()))
            else:
                problems.update((f"{platform} {kind}", error) for kind, error in failed.items())
    return [Problem(place, error) for place, error in problems.items()]
