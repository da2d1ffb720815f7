"""Who may do what, awaited: what `hatcher.access` has.

Made by scripts/make_async.py; never edited by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import hatcher.access as sync
from hatcher.access import (
    SCHEMA,
    Access,
    AccessDocument,
    AccessRow,
    MemberRow,
    OrganizationAccess,
    Report,
    RepositoryAccess,
    Result,
    Step,
    TeamAccess,
)
from hatcher.access.plans import Plan
from hatcher.aio.twin import Twin, near

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from hatcher.aio.graph import AsyncBroodClient, AsyncOrganization, AsyncRepository
    from hatcher.core.brood_client import BroodClient
    from hatcher.core.organization import Organization
    from hatcher.core.places import Problem
    from hatcher.core.repository import Repository


class AsyncPlan(Twin):
    """What has to change so that a server is as a document says; pure data.

    True when there is anything to do, or to look into.

    Attributes
    ----------
    server : str
        Its URL.
    steps : tuple of Step
        In the order in which they are done.
    problems : tuple of Problem
        What could not be read, and what stands in the way.
    wanted : AccessDocument
        What there is to be.
    prune : bool
        Whether what the document does not have is removed.
    max_deletes : int
        The most that may be removed; when there is more of it, nothing is.
    force : bool
        Whether the caller's own access may be taken away.
    caller : str, optional
        Who applies it; see `plan`.
    """

    __slots__ = ()

    _sync: Plan

    @property
    def server(self) -> str:
        """Its URL."""
        return self._sync.server

    @property
    def steps(self) -> tuple[Step, ...]:
        """In the order in which they are done."""
        return self._sync.steps

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be read, and what stands in the way."""
        return self._sync.problems

    @property
    def wanted(self) -> AccessDocument:
        """What there is to be."""
        return self._sync.wanted

    @property
    def prune(self) -> bool:
        """Whether what the document does not have is removed."""
        return self._sync.prune

    @property
    def max_deletes(self) -> int:
        """The most that may be removed; when there is more of it, nothing is."""
        return self._sync.max_deletes

    @property
    def force(self) -> bool:
        """Whether the caller's own access may be taken away."""
        return self._sync.force

    @property
    def caller(self) -> str | None:
        """Who applies it; see `plan`."""
        return self._sync.caller

    @property
    def removals(self) -> tuple[Step, ...]:
        """The steps that take something away (tuple of `Step`), also those that are not done."""
        return self._sync.removals

    async def apply(self, *, dry_run: bool = False) -> Report:
        """Do what the plan says, as far as it still holds.

        The server is read again, as by `plan`, and only steps that are still needed are done, 64 at
        a time. What is added comes first; what is removed comes last, and not in an organization
        where something has failed. One failure does not stop the others; the same call again does
        what is left.

        Parameters
        ----------
        dry_run : bool, default False
            Change nothing, and say of each step what would become of it.

        Returns
        -------
        Report
            What became of each step; of a user who was created, with the first password, which the
            server shows this once.

        Raises
        ------
        InvalidArgumentError
            The plan was read from a document without a client.
        HatcherException
            Nothing could be read.

        Notes
        -----
        Cancelling the task, as Ctrl-C does, ends it.
        """
        return await self._run(self._sync.apply, dry_run=dry_run)

    def document(self) -> dict[str, Any]:
        """Return the plan as what JSON can hold.

        Returns
        -------
        dict
            ``format``, ``version``, ``server``, ``wanted``, ``prune``, ``max_deletes``,
            ``force``, ``caller``, ``steps`` and ``problems``.
        """
        return self._sync.document()

    @classmethod
    async def from_document(
        cls, document: Mapping[str, Any], client: BroodClient | AsyncBroodClient
    ) -> Self:
        """Return a plan that was kept, to apply it.

        Parameters
        ----------
        document : dict
            As `document` returns it.
        client : AsyncBroodClient
            Of the same server.

        Returns
        -------
        AsyncPlan

        Raises
        ------
        InvalidArgumentError
            It is no such plan, is of another version, or of another server.
        InvalidAccessFile
            What there is to be is damaged.
        """
        twin = near(client)
        return cls._of(await twin._run(Plan.from_document, document, client), twin._threads)


async def plan(
    client: BroodClient | AsyncBroodClient,
    document: str | os.PathLike[str] | Mapping[str, Any],
    *,
    prune: bool = False,
    max_deletes: int | None = None,
    force: bool = False,
    caller: str | None = None,
) -> AsyncPlan:
    """Compare a server with what there is to be, and say what has to change; changes nothing.

    ``GET /admin/organizations``; for each organization that is named, what `read` asks; and for
    each new member ``GET /admin/users/{organization}/{email}``.

    Parameters
    ----------
    client : AsyncBroodClient
    document : str, path-like or mapping
        A YAML or JSON file, or what such a file holds: see `SCHEMA`. What it does not name is left
        as it is: an organization, the repositories or teams of one, the members or repositories of
        a team.
    prune : bool, default False
        Remove what the document does not have where it names the others: teams, members of teams,
        and access of teams to repositories; and replace teams whose access level is another one.
        Repositories, users and organizations are never deleted, and nothing is removed of which
        something could not be read.
    max_deletes : int, optional
        The most that may be removed; when there is more of it, nothing is, and the plan says so. By
        default a tenth of the teams, memberships and accesses that there are, but at least 10.
    force : bool, default False
        Remove something also when the caller would lose access by it.
    caller : str, optional
        The caller's e-mail address, where the client does not know it, as with an API token. Where
        nobody says it, each administrator of an organization may be the caller.

    Returns
    -------
    AsyncPlan

    Raises
    ------
    InvalidAccessFile
        The document cannot be read, has errors, or names a repository or access level that there is
        not.
    InvalidArgumentError
        Another argument cannot be used.
    HatcherException
        Nothing could be read.

    Examples
    --------
    >>> plan = await access.plan(client, 'people.yaml', prune=True)
    >>> print(plan)
    2 changes: 1 add, 1 remove
    add grace@example.com to the team builders of acme
    remove ada@example.com from the team builders of acme
    """
    twin = near(client)
    return AsyncPlan._of(
        await twin._run(
            sync.plan,
            client,
            document,
            prune=prune,
            max_deletes=max_deletes,
            force=force,
            caller=caller,
        ),
        twin._threads,
    )


async def read(*places: Organization | AsyncOrganization | Repository | AsyncRepository) -> Access:
    """Read who may do what in organizations, or in one repository.

    For each organization ``GET /admin/organizations/{organization}/repositories``, ``GET
    /admin/organizations/{organization}/teams``, and for each team ``GET
    /admin/teams/{organization}/{team}/members`` and ``.../repositories``, 64 at a time; once ``GET
    /metadata/user/repositories`` of API version 1, for descriptions and for what is public.

    Parameters
    ----------
    *places : AsyncOrganization or AsyncRepository
        Organizations of one server, or a single repository.

    Returns
    -------
    Access
        It is false, and has ``problems``, when something could not be read.

    Raises
    ------
    InvalidArgumentError
        The places are none, or of several servers, or a repository is not the only one.
    HatcherException
        Nothing could be read, or there is no such repository.

    Examples
    --------
    >>> for row in (await access.read(client.organization('acme'))).rows:
    ...     print(row['user'], row['repository'], row['access'], row['teams'])
    """
    twin = near(*places)
    return await twin._run(sync.read, *places)


__all__ = [
    "SCHEMA",
    "Access",
    "AccessDocument",
    "AccessRow",
    "AsyncPlan",
    "MemberRow",
    "OrganizationAccess",
    "Report",
    "RepositoryAccess",
    "Result",
    "Step",
    "TeamAccess",
    "plan",
    "read",
]
