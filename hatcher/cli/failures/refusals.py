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
