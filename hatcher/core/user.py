"""Users of an organization."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hatcher.core.node import InOrganization
from hatcher.core.presence import delete
from hatcher.transport.secret import Secret
from hatcher.transport.session import Session

if TYPE_CHECKING:
    from hatcher.core.documents import UserMetadata


class User(InOrganization):
    """A user of an organization; get one from `Organization.user`.

    Examples
    --------
    >>> user = organization.create_user('ada@example.com')
    >>> user.delete()
    """

    __slots__ = ("_one_time_password",)

    _one_time_password: Secret | None

    def __init__(
        self,
        session: Session,
        organization: str,
        email: str,
        one_time_password: Secret | None = None,
    ) -> None:
        super().__init__(session, organization=organization, email=email)
        object.__setattr__(self, "_one_time_password", one_time_password)

    @property
    def email(self) -> str:
        """The e-mail address."""
        return self._names["email"]

    @property
    def one_time_password(self) -> str | None:
        """The first password, where the server made one up when it created the user.

        Only what `Organization.create_user` returned has it, and the server shows it
        this once only.
        """
        return None if self._one_time_password is None else self._one_time_password.reveal()

    def metadata(self) -> UserMetadata:
        """Return what the server says of the user.

        ``GET /admin/users/{organization}/{email}``

        Returns
        -------
        UserMetadata
            A dict with ``email``, ``teams`` and more.

        Raises
        ------
        NotFoundError
            There is no such user, or none that may be seen.
        """
        metadata: UserMetadata = self._ask("get_user")
        return metadata

    def _found(self) -> dict[str, Any] | None:
        """Return what the server says of the user; None when there is none to be seen."""
        return self._session.find(self._request("get_user"))

    def _lacking(self, teams: Iterable[str]) -> str:
        """Say which teams the user is not in; nothing when there is none."""
        known = self.metadata().get("teams")
        lacking = [team for team in teams if not isinstance(known, list) or team not in known]
        named = " and ".join(map(repr, lacking))
        return f"They are not in {named}: add them to it, or delete them first." if lacking else ""

    def delete(self, force: bool = False, *, missing_ok: bool = False) -> None:
        """Delete the user from the organization.

        ``DELETE /admin/users/{organization}/{email}``

        Parameters
        ----------
        force : bool, default False
            Delete them also where the server would rather keep them.
        missing_ok : bool, default False
            Be content when the organization has no such user.

        Raises
        ------
        NotFoundError
            There is no such user, or none that may be seen.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """

        def is_gone() -> bool:
            # Only who administers the organization is told that there is no such user.
            self._list("list_teams", "teams", "name")
            return self._found() is None

        delete(self, "delete_user", is_gone if missing_ok else None, force=force)
