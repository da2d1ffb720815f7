"""Whether everything that a bundle names is where it should be."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hatcher.mirror.bundles.closure import SINGULAR, AnyBundle, Closure, closure_of
from hatcher.mirror.bundles.seeking import PRESENCES, Presence, Sought, Where, place_of, sought
from hatcher.mirror.layout import Kind
from hatcher.mirror.report import Problem
from hatcher.transfer.batch import checked_concurrency
from hatcher.transport.value import Value


class BundleEntry(Value):
    """What has become of an artefact that a bundle names.

    Parameters
    ----------
    state : {'present', 'disabled', 'different', 'missing'}
        ``disabled``: it is there, and no index shows it; ``different``: what is there has another
        sha256.
    kind : {'eggs', 'runtimes'}
    name : str
        Of the egg, or the runtime's implementation.
    version : str
    repository : str, optional
        Where it is; of what is missing, where it was looked for first; None where the bundle
        names no repository.
    sha256 : str, optional
        What the bundle names; None where it names none.
    actual : str, optional
        The sha256 of what is there.
    """

    __match_args__ = ("state", "kind", "name", "version", "repository", "sha256", "actual")
    __slots__ = __match_args__

    state: Presence
    kind: Kind
    name: str
    version: str
    repository: str | None
    sha256: str | None
    actual: str | None

    def __init__(
        self,
        state: Presence,
        kind: Kind,
        name: str,
        version: str,
        repository: str | None = None,
        sha256: str | None = None,
        actual: str | None = None,
    ) -> None:
        super().__init__(state, kind, name, version, repository, sha256, actual)

    def __str__(self) -> str:
        what = f"{self.state}: {SINGULAR[self.kind]} {self.name} {self.version}"
        if self.repository is None:
            return f"{what}, of which the bundle names no repository"
        where = f"{what} in {self.repository}"
        if self.state != "different":
            return where
        return f"{where} has the sha256 {self.actual}, and not {self.sha256}"


class BundleCheck(Value):
    """Whether everything that a bundle names is there; true when it is.

    Parameters
    ----------
    bundle : str
        For people.
    entries : tuple of BundleEntry
        The runtime first, then the eggs as the bundle names them.
    problems : tuple of Problem
        The places that could not be read.
    """

    __match_args__ = ("bundle", "entries", "problems")
    __slots__ = __match_args__

    bundle: str
    entries: tuple[BundleEntry, ...]
    problems: tuple[Problem, ...]

    def __init__(
        self, bundle: str, entries: tuple[BundleEntry, ...], problems: tuple[Problem, ...] = ()
    ) -> None:
        super().__init__(bundle, entries, problems)

    def those(self, state: Presence) -> tuple[BundleEntry, ...]:
        """Return the entries in one state.

        Parameters
        ----------
        state : {'present', 'disabled', 'different', 'missing'}

        Returns
        -------
        tuple of BundleEntry
        """
        return tuple(entry for entry in self.entries if entry.state == state)

    def document(self) -> dict[str, Any]:
        """Return it as what JSON can hold.

        Returns
        -------
        dict
            ``bundle``, ``entries`` (each with its attributes) and ``problems`` (each with
            ``place`` and ``error``).
        """
        return {
            "bundle": self.bundle,
            "entries": [
                {name: getattr(entry, name) for name in BundleEntry.__match_args__}
                for entry in self.entries
            ],
            "problems": [
                {"place": problem.place, "error": str(problem.error)} for problem in self.problems
            ],
        }

    def __bool__(self) -> bool:
        return len(self.those("present")) == len(self.entries)

    def __str__(self) -> str:
        counts = Counter(entry.state for entry in self.entries)
        parts = [f"{counts[state]} {state}" for state in PRESENCES if counts[state]]
        number = len(self.entries)
        artefacts = f"{number} artefact{'' if number == 1 else 's'}"
        lines = [f"{self.bundle}: {artefacts}: {', '.join(parts)}"]
        lines += [str(entry) for entry in self.entries if entry.state != "present"]
        return "\n".join([*lines, *(f"problem: {problem}" for problem in self.problems)])


def check_bundle(
    bundle: AnyBundle,
    place: Where | None = None,
    *,
    concurrency: int | None = None,
) -> BundleCheck:
    """Look whether everything that a bundle names is there; API version 1 only.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` and
    ``GET /indices/{organization}/{repository}/{platform}/runtimes``, each once, and
    ``GET /metadata/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}``
    for eggs that the index does not show

    What counts is the sha256; where the bundle names none, name and version do.

    Parameters
    ----------
    bundle : Bundle, str, path-like or mapping
        One of a server, a file, or a document.
    place : Repository, SinglePlatformRepository or BroodClient, optional
        Where to look: in this repository, whatever the bundle names, to find out whether the
        bundle could go there; or on this server, in the repositories that the bundle names, and
        where it names none in its own. By default on the bundle's own server.
    concurrency : int, optional
        How many questions at once, 16 by default.

    Returns
    -------
    BundleCheck

    Raises
    ------
    InvalidBundle
        What the bundle names cannot be understood; or there is no such file.
    InvalidArgumentError
        A file or document was given, and no place.
    NotFoundError
        There is no such bundle or repository, or it may not be seen. Where the bundle names the
        repositories, it is a problem in what is returned.
    HatcherException
        The server could not be asked.

    Examples
    --------
    >>> check = mirror.check_bundle(bundle, client.at('acme/prod'))
    >>> print(check)
    acme/dev/rh8-x86_64/bundles/cp38/tools/1.0.0-1: 3 artefacts: 2 present, 1 missing
    missing: egg numpy 1.26.4-1 in acme/prod
    """
    number = checked_concurrency(concurrency)
    where = place_of(bundle, place)
    closure = closure_of(bundle)
    return checked(closure, sought(closure, where, number))


def checked(closure: Closure, result: Sought) -> BundleCheck:
    """Return what was found as users see it."""
    entries = tuple(
        BundleEntry(
            found.state,
            found.need.kind,
            found.need.name,
            found.need.version,
            found.repository,
            found.need.sha256,
            found.listed and found.listed.sha256,
        )
        for found in result.found
    )
    return BundleCheck(str(closure.bundle or closure.name), entries, tuple(result.problems))
