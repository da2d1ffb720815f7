"""What the command line refuses by itself, without having asked a server."""

from __future__ import annotations

import click

from hatcher.cli.failures.explaining import ExitCode


class Refusal(click.ClickException):
    """Something that cannot be done as it was asked for.

    Parameters
    ----------
    what : str
        What is wrong, in a sentence.
    hint : str
        What to do next, in a sentence.
    code : ExitCode, default ExitCode.USAGE
    """

    def __init__(self, what: str, hint: str, code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(what)
        self.hint = hint
        self.exit_code = int(code)  # type: ignore[misc]


def missing_extra(what: str, error: ModuleNotFoundError, extra: str) -> Refusal:
    """Return the refusal of what needs a package that comes with an extra of hatcher."""
    return Refusal(
        f"{what} needs the package {error.name}, which is not installed.",
        f"It comes with hatcher's extra '{extra}'. In a checkout of hatcher, run: "
        f"python -m pip install '.[{extra}]'",
        ExitCode.FAILED,
    )
