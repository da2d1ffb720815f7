"""A repository's artefacts for one platform."""

from __future__ import annotations

from hatcher.core.apps import Apps
from hatcher.core.batches.methods import Batches


class SinglePlatformRepository(Batches, Apps):
    """One platform of a repository, and the artefacts in it.

    Get one from its repository; that sends nothing.

    Examples
    --------
    >>> platform = brood_client.organization('acme').repository('dev').platform('rh8-x86_64')
    >>> platform.upload_egg('nose-1.3.0-1.egg')
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """The name of the platform, such as ``rh8-x86_64``."""
        return self._names["platform"]

    @property
    def organization_name(self) -> str:
        """The name of the organization that the repository belongs to."""
        return self._names["organization"]

    @property
    def repository_name(self) -> str:
        """The name of the repository, without its organization."""
        return self._names["repository"]

    def __str__(self) -> str:
        return "/".join(self._names.values())
