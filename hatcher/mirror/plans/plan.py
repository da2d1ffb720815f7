"""Plans of mirroring: what would have to be done, as data that can be kept."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hatcher.errors import HatcherException, InvalidArgumentError
from hatcher.mirror.ends.base import End
from hatcher.mirror.plans.steps import ACTIONS, Action, Step, Steps
from hatcher.mirror.report import MirrorReport, Problem
from hatcher.mirror.selection import Selection, select
from hatcher.transfer.progress import Progress

if TYPE_CHECKING:
    from hatcher.mirror.cache import Cache
    from hatcher.mirror.ends.choosing import EndLike

_FORMAT, _VERSION = "hatcher plan", 1

#: Rows of the table in notebooks.
_MAX_ROWS = 100


class Plan(Steps):
    """What is to be done, so that a target has what a source has; pure data.

    True when there is anything to do, or to look into.

    Parameters
    ----------
    source, target : str
        For people.
    steps : tuple of Step
        One for each artefact that is asked for, sorted by path.
    problems : tuple of Problem
        What could not be read, at either end, and what stands in the way. When it is something of
        the source that could not be read, nothing is to be deleted.
    selection : Selection
        What was asked for: ``kinds``, ``platforms``, ``python_tags``, ``names``.
    prune : bool
        Whether the target is to lose what the source lacks.
    max_deletes : int
        The most that may be deleted; when there is more of it, nothing is.
    ends : tuple of End, optional
        The source and the target themselves, to apply it; not part of the data.
    """

    __slots__ = ("_ends",)

    _ends: tuple[End, End] | None

    def __init__(
        self,
        source: str,
        target: str,
        steps: tuple[Step, ...],
        problems: tuple[Problem, ...],
        selection: Selection,
        prune: bool = False,
        max_deletes: int = 0,
        ends: tuple[End, End] | None = None,
    ) -> None:
        super().__init__(source, target, steps, problems, selection, prune, max_deletes)
        object.__setattr__(self, "_ends", ends)

    def apply(
        self,
        *,
        progress: Progress | None = None,
        concurrency: int | None = None,
        cache: Cache | None = None,
        create_missing: bool = False,
        dry_run: bool = False,
        journal: str | os.PathLike[str] | bool | None = None,
    ) -> MirrorReport:
        """Do what the plan says, as far as it still holds.

        Both ends are read again, as by `plan`. What the target has got meanwhile is not sent;
        what the source has newer goes as it is now; what the target has otherwise than the plan
        says is neither replaced nor deleted, and fails. To a server the eggs go disabled, and one
        ``POST /data/{organization}/{repository}/{platform}/eggs/re-index`` for each platform shows
        them together; those that replace a visible one go after all others, and are shown at once.
        Then bundles and apps go, and at the end comes what is to be deleted; not on a platform
        where something has failed. From a server to a server each file goes through one temporary
        file; what is wanted at several places is fetched once.

        Parameters
        ----------
        progress : Progress, optional
            Is told of the bytes, from the calling thread.
        concurrency : int, optional
            How many files to move at once, 16 by default.
        cache : Cache, optional
            Has what moves taken from there, and put there.
        create_missing : bool, default False
            Create repositories that are missing on the target's server. Organizations are not
            created.
        dry_run : bool, default False
            Write nothing, and say of each artefact what would become of it.
        journal : str, path-like or bool, optional
            The file in which is noted what was begun to be sent to a server, so that it is not
            sent again after an interruption. By default it is in the user's state folder; False
            for none.

        Returns
        -------
        MirrorReport
            What became of each artefact that there was anything to do about, by its path below
            the place; and which places could not be read or written at all.

        Raises
        ------
        InvalidArgumentError
            An argument cannot be used, nothing can be written to the target, or the plan was read
            from a document without its ends.
        HatcherException
            One of the ends could not be read at all, or the target's organization is missing.

        Notes
        -----
        Ctrl-C ends the call within about a second with a `BatchInterrupted`, which has the report
        so far. The same call, or a new plan, goes on where it was.

        Examples
        --------
        >>> plan = mirror.plan(source, target, prune=True)
        >>> plan.apply(create_missing=True).raise_for_failures()
        """
        if self._ends is None:
            raise InvalidArgumentError(
                "This plan does not know its ends. Read it with Plan.from_document(document, "
                "source, target)."
            )
        from hatcher.mirror.plans.applying import Options, apply

        options = Options(progress, concurrency, cache, create_missing, dry_run, journal)
        return apply(self, *self._ends, options)

    # -- as data -----------------------------------------------------------------------

    def document(self) -> dict[str, Any]:
        """Return the plan as what JSON can hold.

        Returns
        -------
        dict
            ``format``, ``version``, ``source``, ``target``, ``selection``, ``prune``,
            ``max_deletes``, ``bytes``, ``steps`` (each with ``action``, ``path``, ``size``,
            ``sha256``, ``replaces`` and ``reason``) and ``problems`` (each with ``place`` and
            ``error``).
        """
        return {
            "format": _FORMAT,
            "version": _VERSION,
            "source": self.source,
            "target": self.target,
            "selection": {
                name: None if values is None else list(values)
                for name, values in self.selection._asdict().items()
                if name not in ("repositories", "egg_tags")
            },
            "prune": self.prune,
            "max_deletes": self.max_deletes,
            "bytes": self.bytes,
            "steps": [
                {name: getattr(step, name) for name in Step.__match_args__} for step in self.steps
            ],
            "problems": [
                {"place": problem.place, "error": str(problem.error)} for problem in self.problems
            ],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: EndLike, target: EndLike) -> Plan:
        """Return a plan that was kept, to apply it.

        Parameters
        ----------
        document : dict
            As `document` returns it.
        source, target
            The ends, as for `plan`; they must be those that the plan was made of.

        Returns
        -------
        Plan

        Raises
        ------
        InvalidArgumentError
            It is no plan, is of another version, or of other ends.
        """
        from hatcher.mirror.ends.choosing import pair_of

        if not isinstance(document, Mapping) or document.get("format") != _FORMAT:
            raise InvalidArgumentError("This is no plan of hatcher. Give what Plan.document says.")
        if document.get("version") != _VERSION:
            raise InvalidArgumentError(
                f"The plan is of version {document.get('version')!r}, and this hatcher knows "
                f"version {_VERSION}. Plan again."
            )
        ends = pair_of(source, target)
        for what, end in zip(("source", "target"), ends, strict=True):
            if document.get(what) != str(end):
                raise InvalidArgumentError(
                    f"The {what} of the plan is {document.get(what)}, not {end}. Give the ends "
                    "that it was made of, or plan again."
                )
        try:
            steps = tuple(_step(**step) for step in document["steps"])
            problems = tuple(
                Problem(problem["place"], HatcherException(problem["error"]))
                for problem in document["problems"]
            )
            selection = select(repositories=None, **document["selection"])
            prune, max_deletes = document["prune"], document["max_deletes"]
            if not isinstance(prune, bool) or type(max_deletes) is not int:
                raise TypeError("prune or max_deletes is none")
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidArgumentError(
                f"The plan is damaged: {type(error).__name__}: {error}. Plan again."
            ) from error
        return cls(str(ends[0]), str(ends[1]), steps, problems, selection, prune, max_deletes, ends)

    def __bool__(self) -> bool:
        return bool(self.problems) or any(step.action != "skip" for step in self.steps)

    def __str__(self) -> str:
        lines = [self._summary()]
        if self.prune and self:
            lines.append(f"at most {self.max_deletes:,} may be deleted")
        for step in self.steps:
            if step.action != "skip":
                size = "" if step.size is None else f" ({step.size:,} bytes)"
                because = f": {step.reason}" if step.reason else ""
                lines.append(f"{step.action} {step.path}{size}{because}")
        return "\n".join([*lines, *(f"problem: {problem}" for problem in self.problems)])

    def _summary(self) -> str:
        counts = Counter(step.action for step in self.steps)
        number = len(self.steps)
        parts = [f"{counts[action]} {action}" for action in ACTIONS if counts[action]]
        summary = f"{number} artefact{'' if number == 1 else 's'}"
        if parts:
            summary += f": {', '.join(parts)}"
        if counts["copy"] or counts["update"]:
            summary += f"; {self.bytes:,} bytes to move"
        return summary

    def _repr_html_(self) -> str:
        from html import escape

        changes = [step for step in self.steps if step.action != "skip"]
        body = "".join(
            f"<tr><td>{step.action}</td><td>{escape(step.path)}</td>"
            f"<td>{'' if step.size is None else f'{step.size:,}'}</td>"
            f"<td>{escape(step.reason or '')}</td></tr>"
            for step in changes[:_MAX_ROWS]
        )
        more = len(changes) - _MAX_ROWS
        head = "<tr><th>action</th><th></th><th>size</th><th>reason</th></tr>"
        table = f"<table><thead>{head}</thead><tbody>{body}</tbody></table>" if body else ""
        said = "".join(f"<p>problem: {escape(str(problem))}</p>" for problem in self.problems)
        return (
            f"<p>{escape(self.source)} to {escape(self.target)}: {escape(self._summary())}</p>"
            f"{table}{f'<p>and {more:,} more</p>' if more > 0 else ''}{said}"
        )


def _step(
    action: Action,
    path: str,
    size: int | None,
    sha256: str | None,
    replaces: str | None,
    reason: str | None,
) -> Step:
    """Return a step of a document."""
    texts = [text for text in (sha256, replaces, reason) if text is not None]
    if action not in ACTIONS or not all(isinstance(text, str) for text in (path, *texts)):
        raise ValueError(f"{action!r} is no action, or {path!r} no path")
    if size is not None and (type(size) is not int or size < 0):
        raise ValueError(f"{size!r} is no size")
    return Step(action, path, size, sha256, replaces, reason)
