"""What became of each file of a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from hatcher.errors import BatchError, BatchInterrupted
from hatcher.tables import brief, data_frame, first_lines, html_table
from hatcher.transport.value import Value

#: What became of one file; in the order in which a summary counts them.
Outcome: TypeAlias = Literal[
    "uploaded",
    "downloaded",
    "packed",
    "deleted",
    "would upload",
    "would download",
    "would pack",
    "would delete",
    "already there",
    "already gone",
    "failed",
    "not tried",
]

_OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


class FileFacts(NamedTuple):
    """What is known of a file of a batch beside what became of it.

    Parameters
    ----------
    sha256 : str or None
        Of its content, in hexadecimal; None where nobody has found it out. Of bundles and apps that
        a mirror copies, it is that of the document.
    source, target : str or None
        Where it is from and where it goes: a local path, or a place such as
        ``acme/dev/rh8-x86_64 on https://brood.example.com``.
    server : str or None
        The URL of the server that it goes to, or else of the one that it is from.
    replaced : bool
        Whether something else of that name was there, as far as is known.
    attempts : int
        How often it was tried, retries included; 0 when its turn never came.
    seconds : float
        How long that took.
    """

    sha256: str | None = None
    source: str | None = None
    target: str | None = None
    server: str | None = None
    replaced: bool = False
    attempts: int = 0
    seconds: float = 0.0


class FileResult(Value):
    """What became of one file.

    Parameters
    ----------
    name : str
        The file's name.
    path : pathlib.Path
        The local file, as it was given or as it will be called.
    outcome : str
        ``uploaded``, ``downloaded``, ``packed`` or ``deleted``; ``would upload``,
        ``would download``, ``would pack`` or ``would delete`` where `dry_run` was given;
        ``already there``: it was at its destination with the same sha256, as was found out
        before, or as the server has answered; ``already gone``: there was nothing to delete;
        ``failed``; ``not tried``: the batch ended before its turn, or broke it off.
    size : int, optional
        Its size in bytes; None where nobody said.
    error : Exception, optional
        Why it failed, or why it was not tried.
    facts : FileFacts, optional
        What else is known; it does not count when two results are compared.
    """

    __match_args__ = ("name", "path", "outcome", "size", "error")
    __slots__ = (*__match_args__, "facts")

    name: str
    path: Path
    outcome: Outcome
    size: int | None
    error: Exception | None
    facts: FileFacts

    def __init__(
        self,
        name: str,
        path: Path,
        outcome: Outcome,
        size: int | None = None,
        error: Exception | None = None,
        facts: FileFacts = FileFacts(),  # noqa: B008 - cannot be changed
    ) -> None:
        super().__init__(name, path, outcome, size, error)
        object.__setattr__(self, "facts", facts)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (*self._values(), self.facts)


class BatchReport(Value):
    """What became of each file of a batch; true when none of them is missing.

    Parameters
    ----------
    results : tuple of FileResult
        In the order in which the files were given, each once.

    Examples
    --------
    >>> report = platform.upload_eggs(Path('dist').glob('*.egg'))
    >>> print(report)
    3 files: 2 uploaded, 1 failed
    failed: nose-1.3.0-1.egg: ...
    >>> report.raise_for_failures()
    """

    __match_args__ = ("results",)
    __slots__ = __match_args__

    results: tuple[FileResult, ...]

    def __init__(self, results: tuple[FileResult, ...]) -> None:
        super().__init__(results)

    @property
    def uploaded(self) -> tuple[FileResult, ...]:
        """The files that were sent, and are stored now."""
        return self._those("uploaded")

    @property
    def downloaded(self) -> tuple[FileResult, ...]:
        """The files that were received, and are verified."""
        return self._those("downloaded")

    @property
    def packed(self) -> tuple[FileResult, ...]:
        """The files that an archive has been made of."""
        return self._those("packed")

    @property
    def deleted(self) -> tuple[FileResult, ...]:
        """The files that a mirror has removed from its target."""
        return self._those("deleted")

    @property
    def already_there(self) -> tuple[FileResult, ...]:
        """The files that were at their destination."""
        return self._those("already there")

    @property
    def failed(self) -> tuple[FileResult, ...]:
        """The files that failed, each with its error."""
        return self._those("failed")

    @property
    def not_tried(self) -> tuple[FileResult, ...]:
        """The files whose turn never came, since something was wrong for all of them."""
        return self._those("not tried")

    def raise_for_failures(self) -> None:
        """Make an exception of the files that are missing, when there are any.

        Raises
        ------
        BatchError
            One of the files failed, or was not tried; it holds this report.
        """
        if not self:
            first = next(result.error for result in self.results if result.error is not None)
            raise BatchError(str(self), report=self) from first

    def __bool__(self) -> bool:
        return not self.failed and not self.not_tried

    __repr__ = brief

    def __str__(self) -> str:
        lines = [self._summary()]
        lines += first_lines([f"failed: {each.name}: {each.error}" for each in self.failed])
        if self.not_tried and self.not_tried[0].error is not None:
            lines.append(f"not tried: {self.not_tried[0].error}")
        return "\n".join(lines)

    def to_frame(self) -> Any:
        """Return a data frame of pandas with a row for each file.

        Texts are ``string``, numbers ``Int64``; the error is the text of one.

        Returns
        -------
        pandas.DataFrame
            With the columns ``name``, ``path``, ``outcome``, ``size`` (in bytes), ``error``, and
            those of `FileFacts`.

        Raises
        ------
        HatcherException
            pandas is not installed; it comes with the extra ``pandas``.
        """
        rows = []
        for each in self.results:
            error = None if each.error is None else str(each.error)
            told = (each.name, str(each.path), each.outcome, each.size, error)
            rows.append(dict(zip(FileResult.__match_args__, told, strict=True)))
            rows[-1] |= each.facts._asdict()
        fields = (*FileResult.__match_args__, *FileFacts._fields)
        types: dict[str, object] = dict.fromkeys(fields, str)
        types |= {"size": int, "replaced": bool, "attempts": int, "seconds": float}
        return data_frame(rows, types)

    def _repr_html_(self) -> str:
        # Imported here, for notebooks.
        from html import escape

        # What went wrong comes first: the table may end before the last row.
        ordered = sorted(self.results, key=lambda result: -_OUTCOMES.index(result.outcome))
        rows = ((each.name, each.outcome, each.size, each.error) for each in ordered)
        table = html_table(("", "outcome", "size", "error"), rows, len(ordered))
        return f"<p>{escape(self._summary())}</p>{table}"

    def _summary(self) -> str:
        counts = Counter(result.outcome for result in self.results)
        parts = [f"{counts[outcome]} {outcome}" for outcome in _OUTCOMES if counts[outcome]]
        number = len(self.results)
        files = f"{number} file{'' if number == 1 else 's'}"
        return f"{files}: {', '.join(parts)}" if parts else files

    def _those(self, outcome: Outcome) -> tuple[FileResult, ...]:
        return tuple(result for result in self.results if result.outcome == outcome)


@contextmanager
def reporting(report: Callable[[], BatchReport]) -> Iterator[None]:
    """Let a Ctrl-C that ends a batch tell what has been done by then.

    Parameters
    ----------
    report : callable
        Returns what became of each file so far.

    Raises
    ------
    BatchInterrupted
        Instead of the KeyboardInterrupt.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        so_far = report()
        raise BatchInterrupted(str(so_far), report=so_far) from stop
