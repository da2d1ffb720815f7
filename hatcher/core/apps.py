"""Apps on a platform of a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatcher.core.artefact import Artefact
from hatcher.core.index import APPS, Index, leaves
from hatcher.core.local import LocalArtefact
from hatcher.core.node import Node, public

if TYPE_CHECKING:
    from hatcher.artefacts.app import AppFile
    from hatcher.core.documents import AppIndexEntry, AppMetadata


@public
class App(Artefact["AppMetadata"]):
    """One app; get it from `SinglePlatformRepository.app`.

    Brood has no way to download or delete an app; its metadata holds its document.

    Examples
    --------
    >>> platform.app('cp38', 'com.example.viewer', '1.0-1').metadata()
    """

    __slots__ = ()

    _kind = "app"

    @property
    def python_tag(self) -> str:
        """The PEP 425 tag of the Python that the app runs on."""
        return self._names["python_tag"]

    @property
    def app_id(self) -> str:
        """The id of the app."""
        return self._names["app_id"]


class Apps(Node):
    """The part of a `SinglePlatformRepository` that is about apps."""

    __slots__ = ()

    def app(self, python_tag: str, app_id: str, version: str) -> App:
        """Return a handle of one app; sends nothing.

        Parameters
        ----------
        python_tag : str
            The PEP 425 tag of the Python that it runs on.
        app_id : str
        version : str
            Version and build number, such as ``1.0-1``.

        Returns
        -------
        App

        Raises
        ------
        InvalidNameError
            One of them is empty, ``.`` or ``..``.
        """
        return self._child(App, python_tag=python_tag, app_id=app_id, version=version)

    def app_index(self) -> Index[dict[str, dict[str, dict[str, AppIndexEntry]]]]:
        """Return what the server says of all apps.

        ``GET /indices/{organization}/{repository}/{platform}/apps``

        Returns
        -------
        dict
            ``{python tag: {app id: {version: {build: AppIndexEntry}}}}``. In a notebook it
            shows as a table.

        Raises
        ------
        NotFoundError
            There is no such repository or platform, or it may not be seen.
        """
        return Index(self._session.index(self._request("get_app_index"), APPS.read), APPS)

    def list_apps(self) -> list[tuple[str, str, str]]:
        """List the apps.

        ``GET /indices/{organization}/{repository}/{platform}/apps``

        Returns
        -------
        list of tuple of (str, str, str)
            ``(app id, version and build, python tag)``, in the server's order.

        Raises
        ------
        NotFoundError
            There is no such repository or platform, or it may not be seen.
        """
        return [
            (app_id, f"{version}-{build}", python_tag)
            for (python_tag, app_id, version, build), _ in leaves(self.app_index(), 4)
        ]

    def app_metadata(self, python_tag: str, app_id: str, version: str) -> AppMetadata:
        """Return what the server says of one app.

        ``GET /metadata/{organization}/{repository}/{platform}/{python_tag}/apps/{app_id}/{version}``

        Parameters
        ----------
        python_tag, app_id, version : str
            As for `app`.

        Returns
        -------
        AppMetadata
            A dict.

        Raises
        ------
        NotFoundError
            There is no such app, or it may not be seen.
        """
        return self.app(python_tag, app_id, version).metadata()

    def _local_app(self, app: AppFile) -> LocalArtefact:
        return LocalArtefact("app", app.path, self, self.app(*app.address))
