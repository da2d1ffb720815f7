"""Repositories."""

from __future__ import annotations

from hatcher.core.node import Node
from hatcher.core.platform import SinglePlatformRepository

__all__ = ["Repository", "SinglePlatformRepository"]


class Repository(Node):
    """A repository of an organization.

    Get one from its organization; that sends nothing.

    Examples
    --------
    >>> repository = brood_client.organization('acme').repository('dev')
    >>> repository.platform('rh8-x86_64').list_eggs('cp311')
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """The name of the repository, without its organization."""
        return self._names["repository"]

    @property
    def organization_name(self) -> str:
        """The name of the organization that the repository belongs to."""
        return self._names["organization"]

    def platform(self, platform_name: str) -> SinglePlatformRepository:
        """Return the part of the repository that is for one platform; sends nothing.

        Parameters
        ----------
        platform_name : str
            Such as ``rh8-x86_64``; `BroodClient.list_platforms` lists the names.

        Returns
        -------
        SinglePlatformRepository

        Raises
        ------
        InvalidNameError
            The name is empty, ``.`` or ``..``.
        """
        return SinglePlatformRepository(self._session, **self._names, platform=platform_name)

    def delete(self, force: bool = False) -> None:
        """Delete the repository.

        ``DELETE /admin/repositories/{organization}/{repository}``

        Parameters
        ----------
        force : bool, default False
            Delete it with everything that is in it.

        Raises
        ------
        ConflictError
            It is not empty, and `force` was not given.
        PermissionDeniedError, NotFoundError
            It may not be deleted, or there is none.
        """
        self._session.send(self._request("delete_repository", force=force))

    def __str__(self) -> str:
        return "/".join(self._names.values())
