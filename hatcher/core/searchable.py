"""Places that artefacts are searched for in."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

from hatcher.core.node import Node

if TYPE_CHECKING:
    from hatcher.core.platform import SinglePlatformRepository
    from hatcher.core.search import SearchResults


class Searchable(Node):
    """A place that artefacts are searched for in, with all places below it."""

    __slots__ = ()

    @abstractmethod
    def _platform_at(self, *names: str) -> SinglePlatformRepository:
        """Return a platform that is in it, or it is itself; by all names that lead to it."""

    def search(
        self,
        requirement: str,
        *,
        python_tag: str | None = None,
        platform: str | None = None,
        kind: str | Iterable[str] | None = None,
    ) -> SearchResults:
        """Search for artefacts by their names and versions, here and in all places below.

        ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` and
        ``GET /indices/{organization}/{repository}/{platform}/runtimes``, ``…/apps``,
        ``…/bundles`` once for each place, 64 at a time. Before that, what is not given is
        asked for: ``GET /metadata/user/repositories``, ``GET /admin/organizations``,
        ``GET /admin/organizations/{organization}/repositories``, ``GET /metadata/platforms``,
        ``GET /metadata/python-tags`` and ``…/all``

        An index that is known from before, and has not changed, is not sent again.

        Parameters
        ----------
        requirement : str
            A name or a shell pattern of names, whose capital letters do not count; and behind it,
            separated by commas, comparisons of the version: ``numpy``, ``scikit*``,
            ``numpy>=1.26,<2``, ``numpy==1.26.*``, ``numpy~=1.26.1``. Versions are compared
            without their build number, unless a comparison has one: ``numpy==1.26.4-1``.
            Pre-releases are found only where a comparison names one: ``numpy>=2.0rc1``.
        python_tag : str, optional
            The PEP 425 tag of the Python that is to use it, such as ``cp311``; eggs that suit it
            are found, too. Without it, eggs for all tags that the server lists: an index for each.
        platform : str, optional
            A platform such as ``rh8-x86_64``, or a shell pattern such as ``rh8-*``; all that the
            server lists by default.
        kind : {'egg', 'runtime', 'app', 'bundle'} or iterable of these, optional
            All by default; with API version 0, all but bundles.

        Returns
        -------
        SearchResults
            An iterator of `SearchResult`. Nothing is sent before it is asked for the first one.
            At its end, its ``unreadable`` says which places could not be read.

        Raises
        ------
        InvalidArgumentError
            An argument cannot be used; nothing was sent. From the iterator: no platform is like
            the pattern, or the server does not take the python tag.
        UnsupportedAPIVersionError
            Bundles are asked for with API version 0.
        HatcherException
            From the iterator: nothing at all could be read.

        Examples
        --------
        >>> for result in brood_client.search('numpy>=1.26,<2', python_tag='cp311'):
        ...     print(result)
        acme/dev/rh8-x86_64: egg numpy 1.26.4-1 (cp311)
        >>> newest = max(brood_client.search('numpy', platform='rh8-*'))
        >>> newest.artefact.download('.')
        """
        # Imported here, with the graph and threads, for those who search.
        from hatcher.core.search import search

        return search(self, requirement, python_tag, platform, kind)
