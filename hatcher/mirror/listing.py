"""Making the manifest of an end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from hatcher.errors import AuthenticationError, InvalidNameError
from hatcher.mirror.documents import DOCUMENTS
from hatcher.mirror.ends.base import End, read_state
from hatcher.mirror.ends.choosing import EndLike, end_of
from hatcher.mirror.ends.folder import Folder
from hatcher.mirror.layout import Kind, repositories_in
from hatcher.mirror.manifests.manifest import Entry, Manifest, kind_at, now
from hatcher.mirror.report import Problem
from hatcher.mirror.selection import Selection, usual_selection
from hatcher.mirror.states import Held
from hatcher.transfer.batch import Attempts, Crew, Item, Tally, checked_concurrency
from hatcher.transfer.hashing import file_sha256
from hatcher.transfer.progress import Progress


def manifest(
    end: EndLike,
    *,
    kinds: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    concurrency: int | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Write down what an end has: each artefact with its sha256.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag of a server, and likewise for runtimes, apps and bundles; what an index
    says no hash of, as of apps and bundles, is asked for one by one. Of a folder, every file is
    read.

    A manifest can be carried to where the end cannot be reached, and stand there for it: as the
    target of a `plan`, as what a `pack` is to be made for, or as the source of a `verify`.

    Parameters
    ----------
    end : Organization, Repository, SinglePlatformRepository, Folder, str or path-like
        A place on a server, the folder of an export, or an archive.
    kinds : iterable of {'eggs', 'runtimes', 'apps', 'bundles'}, optional
        By default all, with API version 0 only eggs.
    platforms, python_tags, names : iterable of str, optional
        As for `plan`; by default all.
    concurrency : int, optional
        How many questions or files at once, 16 by default.
    progress : Progress, optional
        Is told of the bytes that are hashed.

    Returns
    -------
    Manifest
        What could not be read is among its problems.

    Raises
    ------
    InvalidArgumentError
        An argument cannot be used.
    HatcherException
        The end could not be read at all.

    Examples
    --------
    >>> mirror.manifest(repository).write('state.json')
    >>> mirror.read_manifest('state.json') == mirror.manifest(repository)
    True
    """
    number = checked_concurrency(concurrency)
    it = end_of(end)
    selection = usual_selection(it.version, kinds, platforms, python_tags, names)
    if isinstance(it, Folder) and it.names is None:
        return _of_all(it, selection, number, progress)
    state = read_state(it, selection, concurrency)
    problems = state.problems + identify_all(it, state.held, number, progress)
    entries = entries_of(it, state.held, problems)
    return Manifest(
        str(it),
        it.names or (),
        it.version,
        state.selection,
        entries,
        now(),
        tuple(problems),
    )


def identify_all(
    end: End, held: Mapping[str, Held], concurrency: int, progress: Progress | None
) -> list[Problem]:
    """Find out the hashes that nobody has said yet.

    Parameters
    ----------
    end : End
    held : mapping of str to Held
        Of `end`.
    concurrency : int
    progress : Progress or None

    Returns
    -------
    list of Problem
        What has no hash, by its path in the layout, and why.
    """
    items = []
    problems = []
    for path, one in held.items():
        if one.wrong is not None and one.sha256 is None:
            problems.append(Problem(f"{end.prefix}{path}", one.wrong))
        elif one.sha256 is None:
            item: Item[Held] = Item(Path(path))
            item.file, item.size = one, one.size
            items.append(item)
    attempts = Attempts((AuthenticationError,), concurrency)

    def identify(item: Item[Held], tally: Tally) -> None:
        def action() -> None:
            end.identify(item.path.as_posix(), item.file, tally)

        attempts.attempt(item, tally, action)

    sizes = [item.size for item in items]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    crew = Crew(concurrency, progress)
    crew.each(items, identify, "hashing", total)
    problems += [
        Problem(f"{end.prefix}{item.path.as_posix()}", item.error) for item in items if item.error
    ]
    return problems


def entries_of(end: End, held: Mapping[str, Held], problems: list[Problem]) -> dict[str, Entry]:
    """Return what a manifest says of artefacts that have hashes.

    Parameters
    ----------
    end : End
    held : mapping of str to Held
    problems : list of Problem
        What cannot stand in a manifest is added.
    """
    known: dict[str, Kind] = {}
    entries: dict[str, Entry] = {}
    for path, one in held.items():
        if one.sha256 is None:
            continue
        try:
            kind = kind_at(f"{end.prefix}{path}", known)
            sha256 = None
            if kind in DOCUMENTS and isinstance(end, Folder):
                sha256 = file_sha256(one.origin)
        except (InvalidNameError, OSError) as error:
            problems.append(Problem(f"{end.prefix}{path}", error))
        else:
            entries[f"{end.prefix}{path}"] = Entry(kind, one.sha256, one.size, sha256)
    return entries


def _of_all(
    folder: Folder, selection: Selection, concurrency: int, progress: Progress | None
) -> Manifest:
    """Return the manifest of all organizations in a folder."""
    entries: dict[str, Entry] = {}
    problems: list[Problem] = []
    for end in organizations_in(folder):
        state = read_state(end, selection, concurrency)
        problems += state.problems + identify_all(end, state.held, concurrency, progress)
        entries |= entries_of(end, state.held, problems)
    return Manifest(str(folder), (), None, selection, entries, now(), tuple(problems))


def organizations_in(folder: Folder) -> list[Folder]:
    """Return the organizations in a folder, of each version of the API."""
    return [
        Folder(folder.root, organization, api_version=version)
        for version in (0, 1)
        if (folder.root / f"v{version}").is_dir()
        for organization in sorted({pair[0] for pair in repositories_in(folder.root, version)})
    ]
