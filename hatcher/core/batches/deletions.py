"""Deleting many eggs: all that is asked for is found first, then they go, many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from hatcher.artefacts.names import is_egg_name, split_filename
from hatcher.artefacts.python_tags import tag_of
from hatcher.artefacts.requirements import is_pattern
from hatcher.core.batches.downloads import selected
from hatcher.core.eggs import Egg
from hatcher.errors import (
    AuthenticationError,
    HatcherException,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
)
from hatcher.suggestions import alike, question
from hatcher.transfer.batch import Batch, ByteCounter, Item
from hatcher.transfer.progress import BatchOptions
from hatcher.transfer.reports import BatchReport, Outcome, reporting

if TYPE_CHECKING:
    from hatcher.core.platform import SinglePlatformRepository

#: What stands for an egg: its handle, its file's name or a pattern, or what a list says of it.
AnyEgg: TypeAlias = Egg | str | Mapping[str, Any]


def delete_eggs(
    platform: SinglePlatformRepository,
    eggs: Iterable[AnyEgg],
    python_tag: str | None,
    options: BatchOptions,
    *,
    force: bool,
    missing_ok: bool,
) -> BatchReport:
    """Delete eggs; see `SinglePlatformRepository.delete_eggs`."""
    given = _checked(platform, eggs, python_tag)
    batch: Batch[Egg | str] = Batch(options, AuthenticationError, PermissionDeniedError)
    index: Mapping[str, Mapping[str, Any]] = {}
    # Of a place that is not there it is said once, and not of each egg.
    if python_tag is None:
        platform.runtime_index()
    else:
        index = platform.egg_index(python_tag)
    batch.items = _items(platform, given, index, python_tag)

    def delete(item: Item[Egg | str], _: ByteCounter) -> Outcome:
        egg, name, cause = item.file, item.path.name, None
        if isinstance(egg, Egg):  # no pattern that matches nothing
            try:
                if not options.dry_run:
                    request = egg._request("delete_egg", force=force)
                    egg._session.send(request._replace(may_be_missing=True))
                    return "deleted"
                if _is_shown(egg, index.get(name)) or egg._is_there():
                    return "would delete"
            except NotFoundError as error:
                # One that is there may not be deleted, which some servers tell in the same way.
                if egg._is_there():
                    raise
                cause = error
        if missing_ok:
            return "already gone"
        raise _missing(platform, name, index) from cause

    with reporting(batch.report):
        batch.each(batch.open, delete)
    return batch.report()


def _items(
    platform: SinglePlatformRepository,
    given: Iterable[Egg | str],
    index: Mapping[str, Mapping[str, Any]],
    python_tag: str | None,
) -> list[Item[Egg | str]]:
    """Return an item for each egg that is meant, or for a pattern that matches nothing."""
    items: dict[Egg | str, Item[Egg | str]] = {}
    server = str(platform._session.server)
    for one in given:
        for filename in [one._filename] if isinstance(one, Egg) else selected(index, [one]):
            item: Item[Egg | str] = Item(Path(filename))
            item.file, entry = one, index.get(filename, {})
            size = entry.get("size")
            item.size = size if isinstance(size, int) else None
            item.note(sha256=entry.get("sha256"), target=platform._whereabouts, server=server)
            if not isinstance(one, Egg) and is_egg_name(filename):
                # What is not listed may be stored out of sight.
                tag = tag_of(entry) if filename in index else python_tag
                try:
                    item.file = platform.egg(tag, *split_filename(filename))
                except HatcherException as error:  # the index says what cannot be
                    item.file = filename
                    item.fail(error)
            items.setdefault(item.file, item)
    return list(items.values())


def _is_shown(egg: Egg, entry: Mapping[str, Any] | None) -> bool:
    return entry is not None and tag_of(entry) == egg.python_tag


def _checked(
    platform: SinglePlatformRepository, eggs: Iterable[AnyEgg], python_tag: str | None
) -> list[Egg | str]:
    """Return handles, and names that an index is needed for.

    Raises
    ------
    InvalidArgumentError, InvalidNameError
        One of them is no egg of the platform.
    """
    if isinstance(eggs, str | Mapping | Egg) or not isinstance(eggs, Iterable):
        raise InvalidArgumentError("delete_eggs takes a list of eggs; put the one into a list.")
    given: list[Egg | str] = []
    for egg in eggs:
        if isinstance(egg, Mapping) and is_egg_name(str(egg.get("name"))) and "python_tag" in egg:
            egg = platform.egg(egg["python_tag"], *split_filename(egg["name"]))
        if isinstance(egg, Egg):
            if egg != platform.egg(egg.python_tag, egg.name, egg.version):
                raise InvalidArgumentError(f"{egg!r} is not on {platform}, so nothing was deleted.")
        elif not isinstance(egg, str) or not (is_pattern(egg) or is_egg_name(egg)):
            raise InvalidArgumentError(
                f"{egg!r} is no egg, so nothing was deleted. Give handles, names of files such as "
                "'nose-1.3.0-1.egg', patterns such as 'nose-*', or what list_eggs says."
            )
        elif python_tag is None:
            raise InvalidArgumentError(
                f"Which egg is '{egg}'? Say with python_tag in whose index its name is looked for, "
                "such as python_tag='cp311'."
            )
        elif not is_pattern(egg):
            platform.egg(python_tag, *split_filename(egg))
        given.append(egg)
    return given


def _missing(
    platform: SinglePlatformRepository, name: str, index: Mapping[str, Any]
) -> InvalidArgumentError:
    what = "egg that matches" if is_pattern(name) else "egg"
    hint = question(alike(name, index)) or "Check the name and the python tag."
    return InvalidArgumentError(f"{platform} has no {what} '{name}'. {hint}")
