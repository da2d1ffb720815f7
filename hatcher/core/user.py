"""Users of an organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatcher.core.node import InOrganization
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

    def delete(self, force: bool = False) -> None:
        """Delete the user from the organization.

        ``DELETE /admin/users/{organization}/{email}``

        Parameters
        ----------
        force : bool, default False
            Delete them also where the server would rather keep them.

        Raises
        ------
        NotFoundError
            There is no such user, or none that may be seen.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """
        self._send("delete_user", force=force)
