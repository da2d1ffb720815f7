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
    from rich.progress import TaskID

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
        self._display: _Terminal | _Notebook | _Nowhere | None = None

    def __enter__(self) -> Self:
        # Imported here, where somebody wants to see something: it takes 50 ms.
        from rich.console import Console

        console = self._console or Console(stderr=True)
        if console.is_jupyter:
            self._display = _Notebook(console, self._transient)
        elif console.is_terminal:
            self._display = _Terminal(console, self._transient)
        else:
            self._display = _Nowhere()
        self._display.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._display is not None:
            self._display.stop()
            self._display = None

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
        if self._display is None:
            raise InvalidArgumentError(
                "A ProgressBar works inside its block only: with ProgressBar() as bar: ..., and "
                "there progress=bar."
            )
        self._display.show(done, total, shown(f"{self._description} {phase}".strip()))


class _Nowhere:
    """Shows nothing, for want of a terminal."""

    def start(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""

    def show(self, done: int, total: int | None, description: str) -> None:
        """Do nothing."""


class _Terminal:
    """A bar in a terminal; a thread of rich's redraws it until it is stopped."""

    def __init__(self, console: Console, transient: bool, *, auto_refresh: bool = True) -> None:
        from rich import progress

        self._progress = progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            progress.DownloadColumn(),
            progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(),
            console=console,
            auto_refresh=auto_refresh,
            refresh_per_second=_PER_SECOND,
            transient=transient,
            # What a program writes into a pipe must go on to go there.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._task: TaskID | None = None
        self._last: tuple[str, int] = ("", 0)

    def start(self) -> None:
        """Begin to draw."""
        self._progress.start()

    def stop(self) -> None:
        """Draw the end of it."""
        self._progress.stop()

    def show(self, done: int, total: int | None, description: str) -> None:
        """Show so many bytes; of another file when they are fewer than before."""
        if self._task is None or description != self._last[0] or done < self._last[1]:
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._task = self._progress.add_task(description, total=total)
        self._last = description, done
        self._progress.update(self._task, completed=done, total=total)


class _Notebook(_Terminal):
    """A bar below a notebook's cell, drawn anew in its place.

    rich's own way of doing so needs ipywidgets, and this one does not.
    """

    def __init__(self, console: Console, transient: bool) -> None:
        super().__init__(console, transient, auto_refresh=False)
        self._transient = transient
        self._handle: Any = None
        self._drawn = 0.0

    def start(self) -> None:
        """Begin with the first call of `show`."""

    def stop(self) -> None:
        """Draw the end of it."""
        if self._handle is None:
            return
        if self._transient:
            from rich.text import Text

            self._handle.update(Text())
        else:
            self._handle.update(self._progress)

    def show(self, done: int, total: int | None, description: str) -> None:
        """Show so many bytes, unless it was drawn a moment ago."""
        super().show(done, total, description)
        now = time.monotonic()
        if self._handle is None:
            # A notebook has IPython; hatcher does not ask for it.
            shell: Any = import_module("IPython.display")
            self._handle = shell.display(self._progress, display_id=True)
        elif now - self._drawn < 1 / _PER_SECOND:
            return
        else:
            self._handle.update(self._progress)
        self._drawn = now
