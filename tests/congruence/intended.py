"""Where our client does something else on purpose: one table.

A call is named as the tests show it: the release, the version of the API, the method with
what tells it from other calls of it, and behind a slash the answers or names that it is
varied with. ``*`` stands for anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from attrs import frozen


@frozen
class Difference:
    """One difference.

    Attributes
    ----------
    calls : str
        A pattern of the calls that have it, all of them.
    what : frozenset of str
        In what they differ; see `observing.differences`.
    why : str
    """

    calls: str
    what: frozenset[str]
    why: str

    def has(self, case: str) -> bool:
        """Whether a call has it."""
        return _pattern(self.calls).fullmatch(case) is not None


@cache
def _pattern(calls: str) -> re.Pattern[str]:
    return re.compile(re.escape(calls).replace(r"\*", ".*"))


def _differences(table: Iterable[tuple[str, str, str]]) -> list[Difference]:
    return [Difference(calls, frozenset(what.split()), why) for calls, what, why in table]


#: The calls, in what they differ, and why.
INTENDED = _differences(
    [
        # Names
        ("* / a slash", "url", "Theirs asks for another thing: it does not quote."),
        ("* / a question mark", "url", "Likewise: the rest of the name becomes the query."),
        ("* / a hash", "url", "Likewise: the rest is cut off, and ?force with it."),
        ("* / an escape", "url", "Likewise: what looks quoted is taken for it."),
        ("* / two dots", "refused", "Theirs asks for what is above."),
        ("* / a dot", "refused", "Likewise."),
        ("* / nothing", "refused", "Likewise: DELETE /admin/repositories/acme/"),
        ("* / a newline", "refused", "No name has control characters; logs would be fooled."),
        # Answers
        ("* / 404 in a place", "advice", "Ours says which of the names is wrong."),
        ("* BroodClient.create_api_token / compressed", "error", "Theirs reads it after GET only."),
        ("* without a hash", "error", "A missing sha256 is a KeyError in theirs."),
        ("*: what has no hash", "error", "Likewise."),
        ("* into nothing", "refused", "Theirs sends two requests before it finds out."),
        ("*download_* / letters", "error files", "What else arrives gets no name of another's."),
        ("*download_* / signs", "error files", "Likewise."),
        ("*download_* / brackets", "error files", "Likewise."),
        # What is not implemented
        ("*Repository.metadata of one", "requests error", "The list of all repositories says it."),
        ("*Organization.list_users of teams", "requests error", "The members of its teams say it."),
        ("*Repository.list_platforms by index", "requests error", "The indices say it."),
        # Runtimes
        ("*upload_runtime renamed", "refused", "The server would call it otherwise than the file."),
        # Bundles
        ("* Bundle.__repr__*", "result", "Other classes, and quotes around names as elsewhere."),
        ("* BundleCollection.__repr__*", "result", "Likewise."),
        ("* LocalBundle.__*", "result", "Likewise."),
        ("* BundleCollection.from_file *", "result", "Likewise."),
        ("* Repository.upload_bundle plain", "result", "Likewise."),
        ("* Repository.upload_bundle overwriting", "result", "Likewise."),
        ("* Repository.upload_bundle odd", "result", "Likewise."),
        ("*save / 40*", "files", "Theirs leaves an empty file, and may have emptied a full one."),
        ("*save / signs", "refused", "No file can be called so on every system."),
        ("*save / brackets", "refused", "Likewise."),
        ("* into no folder", "error", "Ours has its own error for it."),
        # Old releases
        ("old v* SinglePlatformRepository.__str__", "result", "As in newer releases."),
        ("old v* Repository.platform", "result", "Likewise."),
        ("old v1 BroodClient.list_available_repositories*", "url", "It asks API version 0."),
    ]
)


def intended(case: str) -> set[str]:
    """Return in what the clients are to differ at a call."""
    return {what for difference in INTENDED if difference.has(case) for what in difference.what}
