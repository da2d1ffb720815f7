"""Organizations."""

from __future__ import annotations

from typing import cast

from hatcher.core.node import Node
from hatcher.core.repository import Repository


class Organization(Node):
    """An organization: it owns repositories, teams and users.

    Get one from the client; that sends nothing.

    Examples
    --------
    >>> organization = brood_client.organization('acme')
    >>> organization.list_repositories()
    ['dev', 'prod']
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """The name of the organization."""
        return self._names["organization"]

    def repository(self, name: str) -> Repository:
        """Return a repository of the organization; sends nothing.

        Parameters
        ----------
        name : str
            The name of the repository, without that of the organization.

        Returns
        -------
        Repository

        Raises
        ------
        InvalidNameError
            The name is empty, ``.`` or ``..``.
        """
        return Repository(self._session, **self._names, repository=name)

    def list_repositories(self) -> list[str]:
        """List the organization's repositories.

        ``GET /admin/organizations/{organization}/repositories``

        Returns
        -------
        list of str
            Their names, without that of the organization, in the server's order.

        Raises
        ------
        NotFoundError, PermissionDeniedError
            There is no such organization, or it may not be seen.
        """
        repositories = self._session.field(self._request("list_repositories"), "repositories", list)
        return cast(list[str], repositories)

    def create_repository(self, name: str, description: str) -> Repository:
        """Create a repository.

        ``POST /admin/organizations/{organization}/repositories``

        Parameters
        ----------
        name : str
        description : str
            What it is for, in a sentence.

        Returns
        -------
        Repository
            The new repository.

        Raises
        ------
        ConflictError
            There is one of that name.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """
        repository = self.repository(name)
        body = {"name": name, "description": description}
        self._session.send(self._request("create_repository", json=body))
        return repository

    def __repr__(self) -> str:
        return f"<Organization organization_name={self.name!r}>"
