"""Teams: who may do what in which repositories of an organization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hatcher.core.node import InOrganization, Named
from hatcher.core.presence import delete

if TYPE_CHECKING:
    from hatcher.core.documents import TeamMetadata


class HasName(Protocol):
    """Anything with a name: a repository, a team."""

    @property
    def name(self) -> str: ...


class HasEmail(Protocol):
    """Anything with an e-mail address: a user."""

    @property
    def email(self) -> str: ...


def name_of(thing: HasName | str) -> str:
    """Return the name of a thing, or the name itself."""
    return thing if isinstance(thing, str) else thing.name


def email_of(user: HasEmail | str) -> str:
    """Return the address of a user, or the address itself."""
    return user if isinstance(user, str) else user.email


class Team(Named, InOrganization):
    """A team of an organization; get one from `Organization.team`.

    A team gives its members one level of access to its repositories.

    Examples
    --------
    >>> team = organization.create_team('builders', 'upload_repository')
    >>> team.add_repository('dev')
    >>> team.add_user('ada@example.com')
    """

    __slots__ = ()

    def metadata(self) -> TeamMetadata:
        """Return what the server says of the team.

        ``GET /admin/teams/{organization}/{team}``

        Returns
        -------
        TeamMetadata
            A dict with ``name``, ``group`` (the access level) and more.

        Raises
        ------
        NotFoundError
            There is no such team, or none that may be seen.
        """
        metadata: TeamMetadata = self._ask("get_team")
        return metadata

    def _is_listed(self) -> bool:
        return any(team["name"] == self.name for team in self._list("list_teams", "teams", "name"))

    def delete(self, force: bool = False, *, missing_ok: bool = False) -> None:
        """Delete the team; its repositories and members stay.

        ``DELETE /admin/teams/{organization}/{team}``

        Parameters
        ----------
        force : bool, default False
            Delete it also when it has repositories or members.
        missing_ok : bool, default False
            Be content when the organization has no such team.

        Raises
        ------
        ConflictError
            It is not empty, and `force` was not given.
        NotFoundError, PermissionDeniedError
            There is no such team, or it may not be deleted.
        """
        is_gone = (lambda: not self._is_listed()) if missing_ok else None
        delete(self, "delete_team", is_gone, force=force)

    # -- repositories ---------------------------------------------------------------

    def list_repositories(self) -> list[str]:
        """List the repositories that the team has access to.

        ``GET /admin/teams/{organization}/{team}/repositories``

        Returns
        -------
        list of str
            Their names, in the server's order.

        Raises
        ------
        NotFoundError
            There is no such team, or none that may be seen.
        """
        return self._list("list_team_repositories", "repositories")

    def add_repository(self, repository: HasName | str) -> None:
        """Give the team access to a repository of its organization.

        ``PUT /admin/teams/{organization}/{team}/repositories/{repository}``

        Parameters
        ----------
        repository : Repository or str
            The repository, or its name without that of the organization.

        Raises
        ------
        NotFoundError
            There is no such team or repository.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """
        self._send("add_team_repository", repository=name_of(repository))

    def remove_repository(
        self, repository: HasName | str, force: bool = False, *, missing_ok: bool = False
    ) -> None:
        """Take the team's access to a repository away; the repository stays.

        ``DELETE /admin/teams/{organization}/{team}/repositories/{repository}``

        Parameters
        ----------
        repository : Repository or str
            The repository, or its name without that of the organization.
        force : bool, default False
            Do so also where the server would rather not.
        missing_ok : bool, default False
            Be content when the team has no access; the team and the repository must exist.

        Raises
        ------
        NotFoundError
            There is no such team, or it has no access.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """
        name = name_of(repository)

        def is_gone() -> bool:
            is_real = name in self._list("list_repositories", "repositories")
            return is_real and name not in self.list_repositories()

        gone = is_gone if missing_ok else None
        delete(self, "remove_team_repository", gone, repository=name, force=force)

    def query_repository_access(self, repository: HasName | str) -> bool:
        """Ask whether the team has access to a repository.

        ``GET /admin/teams/{organization}/{team}/repositories/{repository}``

        Parameters
        ----------
        repository : Repository or str
            The repository, or its name without that of the organization.

        Returns
        -------
        bool
        """
        request = self._request("get_team_repository", repository=name_of(repository))
        return self._session.succeeds(request)

    # -- members --------------------------------------------------------------------

    def list_users(self) -> list[str]:
        """List the members.

        ``GET /admin/teams/{organization}/{team}/members``

        Returns
        -------
        list of str
            Their e-mail addresses, in the server's order.

        Raises
        ------
        NotFoundError
            There is no such team, or none that may be seen.
        """
        return self._list("list_team_members", "members")

    def add_user(self, user: HasEmail | str) -> None:
        """Make a user of the organization a member.

        ``PUT /admin/teams/{organization}/{team}/members/{email}``

        Parameters
        ----------
        user : User or str
            The user, or their e-mail address.

        Raises
        ------
        NotFoundError
            There is no such team or user.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """
        self._send("add_team_member", email=email_of(user))

    def remove_user(
        self, user: HasEmail | str, force: bool = False, *, missing_ok: bool = False
    ) -> None:
        """Take a member out of the team; the user stays in the organization.

        ``DELETE /admin/teams/{organization}/{team}/members/{email}``

        Parameters
        ----------
        user : User or str
            The user, or their e-mail address.
        force : bool, default False
            Do so also where the server would rather not.
        missing_ok : bool, default False
            Be content when they are no member; the team and the user must exist.

        Raises
        ------
        NotFoundError
            There is no such team, or no such member.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """
        email = email_of(user)

        def is_gone() -> bool:
            is_real = self._session.find(self._request("get_user", email=email)) is not None
            members = {member.lower() for member in self.list_users()}
            return is_real and email.lower() not in members

        gone = is_gone if missing_ok else None
        delete(self, "remove_team_member", gone, email=email, force=force)

    def query_user_access(self, user: HasEmail | str) -> bool:
        """Ask whether a user is a member.

        ``GET /admin/teams/{organization}/{team}/members/{email}``

        Parameters
        ----------
        user : User or str
            The user, or their e-mail address.

        Returns
        -------
        bool
        """
        return self._session.succeeds(self._request("get_team_member", email=email_of(user)))
