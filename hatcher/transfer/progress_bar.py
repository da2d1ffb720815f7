"""A progress bar for terminals and notebooks, drawn by rich."""

from __future__ import annotations

import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

from hatcher.characters import shown
from hatcher.errors import InvalidArgumentError
from hatcher.transfer.progress import Phase

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

#: How often a second it is drawn.
_PER_SECOND = 8


class ProgressBar:
    """Shows how far a long call is: bytes, bytes per second, and the time left.

    It is a context manager, and a `Progress` for as long as its block lasts; for one
    call after the other, or for a batch. In a terminal it is drawn on standard error, in
    a notebook below the cell. Where neither is, nothing is written.

    Parameters
    ----------
    description : str, default ''
        What stands before the bar, beside what is being done.
    transient : bool, default False
        Make it vanish at the end.
    console : rich.console.Console, optional
        Where to draw it, instead of on standard error.

    Examples
    --------
    >>> with ProgressBar('nose') as bar:
    ...     platform.upload_egg('nose-1.3.0-1.egg', progress=bar)
    """

    def __init__(
        self, description: str = "", *, transient: bool = False, console: Console | None = None
    ) -> None:
        self._description = description
        self._transient = transient
        self._console = console
        self._is_open = False
        #: What rich draws; None where nobody would see it.
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._last: tuple[str, int] = ("", 0)
        self._in_notebook = False
        #: What IPython has shown below the cell, and when that was drawn last.
        self._handle: Any = None
        self._drawn = 0.0

    def __enter__(self) -> Self:
        # Imported here, where somebody wants to see something: it takes 50 ms.
        from rich import progress
        from rich.console import Console

        console = self._console or Console(stderr=True)
        self._is_open, self._in_notebook = True, console.is_jupyter
        if not console.is_jupyter and not console.is_terminal:
            return self
        self._bar = progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            progress.DownloadColumn(),
            progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(),
            console=console,
            auto_refresh=not console.is_jupyter,
            refresh_per_second=_PER_SECOND,
            transient=self._transient,
            # What a program writes into a pipe must go on to go there.
            redirect_stdout=sys.stdout.isatty(),
        )
        if not console.is_jupyter:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        bar, self._bar, self._is_open = self._bar, None, False
        handle, self._handle, self._task = self._handle, None, None
        if bar is None:
            return
        if not self._in_notebook:
            bar.stop()
        elif handle is not None:
            from rich.text import Text

            handle.update(Text() if self._transient else bar)

    def __call__(self, done: int, total: int | None, phase: Phase) -> None:
        """Show so many bytes.

        Parameters
        ----------
        done : int
            Bytes so far.
        total : int or None
            Bytes in all; None where nobody knows.
        phase : {'hashing', 'uploading', 'downloading', 'indexing'}
            What is being done.

        Raises
        ------
        InvalidArgumentError
            It is used outside its `with` block.
        """
        if not self._is_open:
            raise InvalidArgumentError(
                "A ProgressBar works inside its block only: with ProgressBar() as bar: ..., and "
                "there progress=bar."
            )
        if self._bar is None:
            return
        description = shown(f"{self._description} {phase}".strip())
        # It is of another file when it is less than before.
        if self._task is None or description != self._last[0] or done < self._last[1]:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(description, total=total)
        self._last = description, done
        self._bar.update(self._task, completed=done, total=total)
        if self._in_notebook:
            self._draw(self._bar)

    def _draw(self, bar: Progress) -> None:
        """Draw it anew in its place; rich's own way of doing so needs ipywidgets."""
        now = time.monotonic()
        if self._handle is None:
            # A notebook has IPython; hatcher does not ask for it.
            shell: Any = import_module("IPython.display")
            self._handle = shell.display(bar, display_id=True)
        elif now - self._drawn < 1 / _PER_SECOND:
            return
        else:
            self._handle.update(bar)
        self._drawn = now
