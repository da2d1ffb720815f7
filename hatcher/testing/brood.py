"""A running Brood for tests: in a thread of this process, or in a process of its own."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from hatcher.api import BroodClient
    from hatcher.server.runner import BackgroundServer

__all__ = ["BroodProcess", "BroodServer"]

_READY = re.compile(r"^Brood is serving at (?P<url>http://\S+:(?P<port>\d+))$", re.MULTILINE)


class _Brood(ABC):
    """What both kinds have in common: data, an administrator, clients."""

    def __init__(self, data: str | os.PathLike[str] | None = None) -> None:
        self._thrown_away = data is None
        self._data = Path(tempfile.mkdtemp(prefix="brood-") if data is None else data)
        self._clients: list[BroodClient] = []
        self._admin_password = secrets.token_urlsafe(16)

    @property
    def data(self) -> Path:
        """The folder of everything that the server keeps (`pathlib.Path`)."""
        return self._data

    @property
    def admin_email(self) -> str:
        """The user name of the server's administrator (`str`)."""
        return "admin@example.com"

    @property
    def admin_password(self) -> str:
        """The administrator's password (`str`): made up, another one for each server."""
        return self._admin_password

    @property
    @abstractmethod
    def url(self) -> str:
        """Where the server listens (`str`), such as ``http://127.0.0.1:43123``."""

    @abstractmethod
    def start(self) -> None:
        """Start the server; return when it takes requests."""

    @abstractmethod
    def stop(self) -> None:
        """Stop the server and keep its data. Does nothing when it does not run."""

    def client(
        self,
        api_version: int = 1,
        auth: tuple[str, str] | object | None = None,
        *,
        url: str | None = None,
        **options: Any,
    ) -> BroodClient:
        """Make a client of this server.

        Parameters
        ----------
        api_version : int
            The version of the API that the client speaks: 0 or 1.
        auth : tuple of str or auth object, optional
            Any authentication that `BroodClient.from_url` takes. The administrator's by default;
            for a client without any, call ``BroodClient.from_url(server.url, api_version=1)``.
        url : str, optional
            Where the client sends to, if not straight to the server: what stands before it.
        **options
            What else `BroodClient.from_url` takes, such as `retries` and `timeout`.

        Returns
        -------
        BroodClient
            It is closed together with the server.
        """
        from hatcher.api import BroodClient

        client = BroodClient.from_url(
            self.url if url is None else url,
            auth=(self.admin_email, self.admin_password) if auth is None else auth,  # type: ignore[arg-type]
            api_version=api_version,
            **options,
        )
        self._clients.append(client)
        return client

    def close(self) -> None:
        """Close the clients, stop the server, and throw away the data that it made itself."""
        while self._clients:
            self._clients.pop().close()
        self.stop()
        if self._thrown_away:
            shutil.rmtree(self._data, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class BroodServer(_Brood):
    """A Brood in a thread of this process, on a free port of the loopback address.

    It is the real server on a real socket, and ready in a fraction of a second, so that each test
    may have its own. It is a context manager.

    Parameters
    ----------
    data : str or os.PathLike, optional
        The folder to keep everything in. By default a temporary one, removed by `close`.

    Examples
    --------
    >>> with BroodServer() as server:
    ...     organization = server.client().create_organization("acme", "Road runner traps")
    ...     organization.create_repository("dev", "Not yet exploded")
    <Repository organization='acme', repository='dev'>
    """

    def __init__(self, data: str | os.PathLike[str] | None = None) -> None:
        super().__init__(data)
        self._background: BackgroundServer | None = None

    def __repr__(self) -> str:
        return f"<BroodServer {self.url if self._background else 'stopped'}>"

    @property
    def url(self) -> str:
        """Where the server listens (`str`), such as ``http://127.0.0.1:43123``."""
        if self._background is None:
            raise RuntimeError("This Brood does not run. Use it in a with statement, or start it.")
        return self._background.url

    def start(self) -> None:
        """Start the server; return when it takes requests."""
        if self._background is not None:
            return
        try:
            from hatcher.server.runner import BackgroundServer
            from hatcher.server.settings import Settings
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"The embedded Brood needs {error.name}, which comes with hatcher's extra 'server'. "
                "In a checkout of hatcher, run: python -m pip install '.[server]'",
                name=error.name,
            ) from error
        settings = Settings(
            self.data, port=0, admin=self.admin_email, admin_password=self.admin_password
        )
        self._background = BackgroundServer(settings).__enter__()

    def stop(self) -> None:
        """Stop the server and keep its data. Does nothing when it does not run."""
        background, self._background = self._background, None
        if background is not None:
            background.__exit__(None, None, None)


class BroodProcess(_Brood):
    """A Brood in a process of its own: ``hatcher serve`` as users run it.

    It starts slower than `BroodServer`, but can be killed like a server that loses its power, and
    its memory can be measured. It is a context manager.

    Parameters
    ----------
    data : str or os.PathLike, optional
        The folder to keep everything in. By default a temporary one, removed by `close`.
    start_timeout : float
        How long it may take until the server takes requests, in seconds.

    Examples
    --------
    >>> with BroodProcess() as server:
    ...     server.kill()
    ...     server.restart()
    ...     server.client().list_organizations()
    []
    """

    def __init__(
        self, data: str | os.PathLike[str] | None = None, *, start_timeout: float = 60.0
    ) -> None:
        super().__init__(data)
        self._start_timeout = start_timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._url: str | None = None
        self._port = 0
        self._output = Path(tempfile.mkdtemp(prefix="brood-output-"))

    def __repr__(self) -> str:
        state = "stopped" if self._process is None else f"pid={self.pid}"
        return f"<BroodProcess {self._url or ''} {state}>"

    @property
    def url(self) -> str:
        """Where the server listens (`str`); the same after `restart`."""
        if self._url is None:
            raise RuntimeError("This Brood never ran. Use it in a with statement, or start it.")
        return self._url

    @property
    def pid(self) -> int:
        """The id of the running process (`int`)."""
        if self._process is None:
            raise RuntimeError("This Brood does not run. Start it first.")
        return self._process.pid

    @property
    def log(self) -> str:
        """What the process has written to its standard error since it was started (`str`)."""
        path = self._output / "stderr"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Start the process; return when it takes requests.

        Raises
        ------
        RuntimeError
            If the process ends, or is not ready in time; with what it wrote.
        """
        if self._process is not None:
            return
        command = [sys.executable, "-m", "hatcher", "serve"]
        command += ["--data", str(self.data), "--host", "127.0.0.1", "--port", str(self._port)]
        command += ["--admin", self.admin_email]
        settings = {"HATCHER_SERVER_ADMIN_PASSWORD": self.admin_password, "PYTHONUNBUFFERED": "1"}
        # Files, not pipes: a full pipe would stop the server.
        stdout, stderr = self._output / "stdout", self._output / "stderr"
        with stdout.open("wb") as out, stderr.open("wb") as err:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, **settings},
            )
        deadline = time.monotonic() + self._start_timeout
        while (ready := _READY.search(stdout.read_text(errors="replace"))) is None:
            status = self._process.poll()
            if status is not None or time.monotonic() > deadline:
                self.kill()
                what = f"ended with status {status} instead of serving"
                if status is None:
                    what = f"was not ready within {self._start_timeout:g} s"
                wrote = f"{stdout.read_text(errors='replace')}{self.log}"
                raise RuntimeError(f"Brood {what}. It wrote:\n{wrote}")
            time.sleep(0.01)
        self._url = ready["url"]
        self._port = int(ready["port"])

    def stop(self) -> None:
        """Ask the process to end, and wait for it. Does nothing when it does not run."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._process = None

    def kill(self) -> None:
        """End the process at once, as a loss of power would. Its data stay as they are."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Start the server again, on the same data and port; stop it first if it runs."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Close the clients, stop the process, and throw away the data that it made itself."""
        try:
            super().close()
        finally:
            shutil.rmtree(self._output, ignore_errors=True)
