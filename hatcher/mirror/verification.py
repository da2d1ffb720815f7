"""What was found when an end was verified, as data."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal, TypeAlias, get_args

from hatcher.mirror.report import Problem
from hatcher.transport.value import Value

Condition: TypeAlias = Literal[
    "damaged", "missing", "unreadable", "extra", "lacking", "different", "surplus"
]

_CONDITIONS: tuple[Condition, ...] = get_args(Condition)

#: Findings that are named in words; there may be thousands.
_MAX_NAMED = 50


class Finding(Value):
    """Something that is not as it should be.

    Parameters
    ----------
    condition : str
        ``damaged``: its bytes are not those of its sha256; ``missing``: it is listed, and not
        there; ``unreadable``; ``extra``: it is there, and no manifest lists it. Compared with the
        source: ``lacking``, ``different``, or ``surplus``, which the source lacks.
    path : str
        In the layout, of the target.
    reason : str, optional
    """

    __match_args__ = ("condition", "path", "reason")
    __slots__ = __match_args__

    condition: Condition
    path: str
    reason: str | None

    def __init__(self, condition: Condition, path: str, reason: str | None = None) -> None:
        super().__init__(condition, path, reason)

    def __str__(self) -> str:
        return f"{self.condition} {self.path}{f': {self.reason}' if self.reason else ''}"


class Verification(Value):
    """What came out of verifying an end; true when all is right.

    Parameters
    ----------
    target : str
        What was verified, for people.
    source : str or None
        What it was compared with.
    checked : int
        How many artefacts were looked at.
    bytes : int
        How many bytes were hashed for that.
    findings : tuple of Finding
        What is not as it should be, sorted by path.
    problems : tuple of Problem
        What could not be read, so that nothing is known of it.
    """

    __match_args__ = ("target", "source", "checked", "bytes", "findings", "problems")
    __slots__ = __match_args__

    target: str
    source: str | None
    checked: int
    bytes: int
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]

    def __init__(
        self,
        target: str,
        source: str | None,
        checked: int,
        bytes: int,
        findings: tuple[Finding, ...] = (),
        problems: tuple[Problem, ...] = (),
    ) -> None:
        super().__init__(target, source, checked, bytes, findings, problems)

    def those(self, condition: Condition) -> tuple[Finding, ...]:
        """Return the findings of one kind.

        Parameters
        ----------
        condition : str
            As of `Finding`.

        Returns
        -------
        tuple of Finding
        """
        return tuple(found for found in self.findings if found.condition == condition)

    def document(self) -> dict[str, Any]:
        """Return it as what JSON can hold.

        Returns
        -------
        dict
            ``ok``, ``target``, ``source``, ``checked``, ``bytes``, ``findings`` (each with
            ``condition``, ``path`` and ``reason``) and ``problems`` (each with ``place`` and
            ``error``).
        """
        return {
            "ok": bool(self),
            "target": self.target,
            "source": self.source,
            "checked": self.checked,
            "bytes": self.bytes,
            "findings": [
                {name: getattr(found, name) for name in Finding.__match_args__}
                for found in self.findings
            ],
            "problems": [
                {"place": problem.place, "error": str(problem.error)} for problem in self.problems
            ],
        }

    def __bool__(self) -> bool:
        return not self.findings and not self.problems

    def __str__(self) -> str:
        counts = Counter(found.condition for found in self.findings)
        parts = [f"{counts[name]} {name}" for name in _CONDITIONS if counts[name]]
        number = f"{self.checked:,} artefact{'' if self.checked == 1 else 's'}"
        said = ", ".join(parts) or ("all right" if self else "not all could be looked at")
        lines = [f"{number} checked, {self.bytes:,} bytes hashed: {said}"]
        lines += map(str, self.findings[:_MAX_NAMED])
        if len(self.findings) > _MAX_NAMED:
            lines.append(f"and {len(self.findings) - _MAX_NAMED:,} more")
        return "\n".join([*lines, *(f"problem: {problem}" for problem in self.problems)])
