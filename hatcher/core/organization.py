"""Organizations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn

from hatcher.core.node import Named, public
from hatcher.core.presence import create, differing
from hatcher.core.repository import Repository, SinglePlatformRepository
from hatcher.core.searchable import Searchable
from hatcher.core.team import HasName, Team, name_of
from hatcher.core.user import User
from hatcher.errors import HatcherException, InvalidArgumentError
from hatcher.transport.secret import Secret
from hatcher.transport.urls import checked_segment

if TYPE_CHECKING:
    from hatcher.core.documents import TeamMetadata


@public
class Organization(Searchable, Named):
    """An organization: it owns repositories, teams and users.

    Get one from the client; that sends nothing.

    Examples
    --------
    >>> organization = brood_client.organization('acme')
    >>> organization.list_repositories()
    ['dev', 'prod']
    """

    __slots__ = ()

    def _platform_at(self, *names: str) -> SinglePlatformRepository:
        return self.repository(names[1])._platform_at(*names)

    # -- repositories ---------------------------------------------------------------

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
        return self._child(Repository, repository=name)

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
        return self._list("list_repositories", "repositories")

    def create_repository(
        self,
        name: str,
        description: str,
        *,
        public: bool | str = False,
        exist_ok: bool = False,
    ) -> Repository:
        """Create a repository.

        ``POST /admin/organizations/{organization}/repositories``

        Parameters
        ----------
        name : str
        description : str
            What it is for, in a sentence.
        public : bool or {'read_index', 'read_repository'}, default False
            Let everybody read it, also without credentials: True or ``'read_repository'`` all
            of it, ``'read_index'`` its indices and metadata. The embedded server can do that;
            other servers may not.
        exist_ok : bool, default False
            Be content with one of that name that is as public; its description stays what it is.

        Returns
        -------
        Repository
            The repository.

        Raises
        ------
        HatcherException
            The server has created the repository, and has not made it public.
        ConflictError
            There is one of that name, or with `exist_ok` one that is not as public.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """
        repository = self.repository(name)
        body = {"name": name, "description": description}
        level = "read_repository" if public is True else str(public or "") or None
        if level is not None:
            body["public"] = level
        answer = create(
            self._session.send if level is None else self._session.json_if_any,
            self._request("create_repository", json=body),
            (lambda: name in self.list_repositories()) if exist_ok else None,
            lambda: differing("public access", repository._public(), level),
        )
        if isinstance(answer, dict) and answer.get("public") != level:
            raise HatcherException(
                f"The server has created the repository '{repository}', but did not say that it "
                "is public: it may know no public repositories. Ask its administrators who can "
                "read it, or delete it."
            )
        return repository

    # -- teams ----------------------------------------------------------------------

    def team(self, team_name: str) -> Team:
        """Return a team of the organization; sends nothing.

        Parameters
        ----------
        team_name : str

        Returns
        -------
        Team

        Raises
        ------
        InvalidNameError
            The name is empty, ``.`` or ``..``.
        """
        return self._child(Team, team=team_name)

    def list_teams(self) -> list[TeamMetadata]:
        """List the organization's teams.

        ``GET /admin/organizations/{organization}/teams``

        Returns
        -------
        list of TeamMetadata
            ``{'name', 'group'}`` and more, in the server's order; the group is the
            access level of the team.

        Raises
        ------
        NotFoundError, PermissionDeniedError
            There is no such organization, or its teams may not be seen.
        """
        return self._list("list_teams", "teams", "name")

    def create_team(self, name: str, group_name: str, *, exist_ok: bool = False) -> Team:
        """Create a team.

        ``POST /admin/organizations/{organization}/teams``

        Parameters
        ----------
        name : str
        group_name : str
            The access level that it gives its members to its repositories, such as
            ``read_index``, ``read_repository``, ``upload_repository`` or
            ``organization_administrator``.
        exist_ok : bool, default False
            Be content with a team of that name with the same access level.

        Returns
        -------
        Team
            The team.

        Raises
        ------
        BadRequestError
            There is no such access level.
        ConflictError
            There is a team of that name, or with `exist_ok` one with another access level.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """
        team = self.team(name)
        create(
            self._session.send,
            self._request("create_team", json={"group": group_name, "name": name}),
            team._is_listed if exist_ok else None,
            lambda: differing("access level", team.metadata().get("group"), group_name),
        )
        return team

    # -- users ----------------------------------------------------------------------

    def user(self, user_email: str) -> User:
        """Return a user of the organization; sends nothing.

        Parameters
        ----------
        user_email : str

        Returns
        -------
        User

        Raises
        ------
        InvalidNameError
            The address is empty, ``.`` or ``..``.
        """
        return User(self._session, organization=self.name, email=user_email)

    def create_user(
        self,
        email: str,
        teams: Iterable[HasName | str] | None = None,
        *,
        exist_ok: bool = False,
    ) -> User:
        """Create a user.

        ``POST /admin/organizations/{organization}/users``

        Parameters
        ----------
        email : str
        teams : iterable of Team or str, optional
            The teams, or their names, that the user becomes a member of.
        exist_ok : bool, default False
            Be content with a user with that address, who is a member of these teams.

        Returns
        -------
        User
            The user; its `one_time_password` is the first password, where the server made
            one up for a new one.

        Raises
        ------
        ConflictError
            There is a user with that address, or with `exist_ok` one who is not in these teams.
        NotFoundError
            There is no such team.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """
        checked_segment(email, "e-mail address")
        body: dict[str, Any] = {"email": email}
        if teams is not None:
            if isinstance(teams, str):
                raise InvalidArgumentError("teams must be a list; put the one team into a list.")
            body["teams"] = [name_of(team) for team in teams]
        user = self.user(email)
        answer = create(
            self._session.json_if_any,
            self._request("create_user", json=body),
            (lambda: user._found() is not None) if exist_ok else None,
            lambda: user._lacking(body.get("teams", ())),
        )
        password = (answer or {}).get("one_time_password")
        return User(
            self._session,
            organization=self.name,
            email=email,
            one_time_password=Secret(password) if isinstance(password, str) else None,
        )

    def list_users(self) -> list[str]:
        """List the users of the organization, as far as they are in a team.

        ``GET /admin/organizations/{organization}/teams``, and
        ``GET /admin/teams/{organization}/{team}/members`` once for each team, 64 at a time:
        Brood lists users nowhere, so that those without a team do not show.

        Returns
        -------
        list of str
            Their e-mail addresses, sorted.

        Raises
        ------
        NotFoundError, PermissionDeniedError
            There is no such organization, or one of its teams may not be seen.
        """
        # Imported here, as all that asks many questions at a time.
        from hatcher.core.batches.existing import list_users

        return list_users(self)

    # -- the organization itself ----------------------------------------------------

    def metadata(self) -> NoReturn:
        """Brood says nothing of an organization but what it holds.

        Raises
        ------
        NotImplementedError
            Always, and without a request.
        """
        raise NotImplementedError("Not implemented in brood.")

    def delete(self) -> NoReturn:
        """Brood cannot delete an organization.

        Raises
        ------
        NotImplementedError
            Always, and without a request.
        """
        raise NotImplementedError("Not implemented in brood.")

    def __repr__(self) -> str:
        return f"<Organization organization_name={self.name!r}>"
