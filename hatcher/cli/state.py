"""What a command is run with: the settings, and the client that they make."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from hatcher.cli.refusals import Refusal
from hatcher.cli.settings.levels import Settings, settings_of_profile

if TYPE_CHECKING:
    from hatcher.api import BroodClient
    from hatcher.cli.settings.keeping import Credential


class State:
    """What a command is run with; `pass_state` hands it over.

    Parameters
    ----------
    settings : Settings or callable
        Or what finds them out, when a command first needs them.
    quick : bool, default False
        Whether a shell waits for it: ask nobody for a password, and try once.
    """

    def __init__(self, settings: Settings | Callable[[], Settings], *, quick: bool = False) -> None:
        self._given = settings
        self._quick = quick
        self._others: dict[str, State] = {}

    @cached_property
    def settings(self) -> Settings:
        """Which server, and who asks.

        Raises
        ------
        click.UsageError, Refusal
            The options contradict each other, or the profile cannot be used.
        """
        return self._given if isinstance(self._given, Settings) else self._given()

    @cached_property
    def credential(self) -> Credential | None:
        """What the client proves with who asks; None where nobody is named.

        Raises
        ------
        click.UsageError, Refusal
            Nobody said which server, or there is no password.
        """
        if self.settings.url is None:
            raise Refusal(
                "Which server? None is named.",
                "Give --url, set HATCHER_URL, or keep it in a profile: hatcher login URL",
            )
        # Imported here: the help of a command needs none.
        from hatcher.cli.settings.credentials import credential_for

        return credential_for(self.settings, may_ask=not self._quick)

    @cached_property
    def client(self) -> BroodClient:
        """The client, made when a command first needs it.

        Raises
        ------
        click.UsageError, Refusal
            Nobody said which server, or there is no password.
        """
        return client_of(self.settings, self.credential, quick=self._quick)

    def close(self) -> None:
        """Close the connections of the clients, if there are any."""
        if "client" in self.__dict__:
            self.client.close()
        for other in self._others.values():
            other.close()

    def of_profile(self, name: str) -> State:
        """Return the same for the server of a profile, which may be another one.

        Nothing that was said about the chosen server counts there: neither who asks, nor how
        its certificate is verified.

        Parameters
        ----------
        name : str
            Of the profile.

        Raises
        ------
        Refusal
            There is no such profile, it names no server, or it is not as it should be.
        """
        if name not in self._others:
            settings = settings_of_profile(click.get_current_context(), name)
            self._others[name] = State(settings, quick=self._quick)
        return self._others[name]


def client_of(
    settings: Settings,
    credential: Credential | None,
    *,
    quick: bool = False,
    anew: bool = False,
) -> BroodClient:
    """Return a client of the server of the settings, for whoever has the credential.

    Parameters
    ----------
    settings : Settings
    credential : Credential or None
    quick : bool, default False
        Whether to try but once.
    anew : bool, default False
        Whether the server is to say now what it thinks of the credential: no session token of
        an earlier command is used, and none is kept.
    """
    # Imported here: the help of a command needs no client.
    from hatcher.api import BroodClient, BroodClientAuth, RetryPolicy, Timeouts
    from hatcher.cli.logs import listen

    listen(click.get_current_context(silent=True))
    url = settings.url
    assert url is not None
    if settings.anonymous:  # not even with the name in it
        from hatcher.cli.settings.profiles import server_at

        url = str(server_at(url))
    auth = credential and credential.auth(url, settings.verify_ssl)
    if isinstance(auth, BroodClientAuth) and not anew:
        from hatcher.cli.settings.sessions import SessionKeeper

        auth._keeper = SessionKeeper(auth, settings.verify_ssl)
    return BroodClient.from_url(
        url,
        auth=auth,
        verify_ssl=settings.verify_ssl,
        api_version=settings.api_version,
        timeout=Timeouts() if settings.timeout is None else settings.timeout,
        retries=0 if quick else RetryPolicy() if settings.retries is None else settings.retries,
    )


#: Hands a command the state, before all else.
pass_state: Callable[[Callable[..., Any]], Callable[..., Any]] = click.make_pass_decorator(State)
