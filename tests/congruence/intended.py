"""Where our client does something else on purpose: one table.

A call is named as the tests show it: the release, the version of the API, the method with
what tells it from other calls of it, and behind a slash the answers or names that it is
varied with. ``*`` stands for anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
    manual : str
        How the row of the manual begins that tells it.
    """

    calls: str
    what: frozenset[str]
    why: str
    manual: str

    def has(self, case: str) -> bool:
        """Whether a call has it."""
        return _pattern(self.calls).fullmatch(case) is not None


@cache
def _pattern(calls: str) -> re.Pattern[str]:
    return re.compile(re.escape(calls).replace(r"\*", ".*"))


def _differences(rows: Mapping[str, Iterable[tuple[str, str, str]]]) -> list[Difference]:
    return [
        Difference(calls, frozenset(what.split()), why, row)
        for row, table in rows.items()
        for calls, what, why in table
    ]


#: How the row of ``docs/porting.md`` begins that tells of a difference; the calls that have it, in
#: what they differ, and why.
INTENDED = _differences(
    {
        # Sending
        "names with `/`": [
            ("* / a slash", "url", "Theirs asks for another thing: it does not quote."),
            ("* / a question mark", "url", "Likewise: the rest of the name becomes the query."),
            ("* / a hash", "url", "Likewise: the rest is cut off, and ?force with it."),
            ("* / an escape", "url", "Likewise: what looks quoted is taken for it."),
        ],
        "empty names": [
            ("* / two dots", "refused", "Theirs asks for what is above."),
            ("* / a dot", "refused", "Likewise."),
            ("* / nothing", "refused", "Likewise: DELETE /admin/repositories/acme/"),
        ],
        "names with line ends": [
            ("* / a newline", "refused", "No name has control characters; logs would be fooled."),
        ],
        "after a 404": [
            ("* / 404 in a place", "advice", "Ours says which of the names is wrong."),
        ],
        "API version 1, releases": [
            ("old v1 BroodClient.list_available_repositories*", "url", "It asks API version 0."),
        ],
        # Answers
        "an answer that is packed": [
            (
                "* BroodClient.create_api_token / compressed",
                "error",
                "Theirs only unpacks after GET.",
            ),
        ],
        "`KeyError`": [
            ("* without a hash", "error", "A missing sha256 is a KeyError in theirs."),
            ("*: what has no hash", "error", "Likewise."),
        ],
        # Files
        "a download into no directory": [
            ("* into nothing", "refused", "Theirs sends two requests before it finds out."),
        ],
        "a server's file name": [
            ("*download_* / letters", "error files", "What else arrives gets no other's name."),
            ("*download_* / signs", "error files", "Likewise."),
            ("*download_* / brackets", "error files", "Likewise."),
        ],
        "`FileNotFoundError` for a missing destination": [
            ("* into no folder", "error", "Ours has its own error for it."),
        ],
        "an egg or runtime whose name": [
            ("*upload_runtime renamed", "refused", "The server would call it otherwise."),
        ],
        "`bundle_save` that fails": [
            ("*save / 40*", "files", "Theirs leaves an empty file, and may have emptied another."),
        ],
        "`bundle_save` of a bundle": [
            ("* Bundle.save / signs", "refused", "No file can be called so on every system."),
            ("* Bundle.save / brackets", "refused", "Likewise."),
            ("*.bundle_save / signs", "refused", "Likewise."),
            ("*.bundle_save / brackets", "refused", "Likewise."),
        ],
        # Methods
        "`repository.metadata`": [
            ("*Repository.metadata of one", "requests error", "The list of all of them says it."),
        ],
        "eggs without a python tag": [
            ("*egg_index untagged", "url", "Theirs asks for a tag that is called None."),
            ("*list_eggs untagged", "url", "Likewise."),
            ("*egg_metadata untagged", "url", "Likewise."),
            ("*delete_egg untagged", "url", "Likewise."),
        ],
        "`organization.list_users`": [
            ("*Organization.list_users of teams", "requests error", "Its teams' members say it."),
        ],
        "`repository.list_platforms`": [
            ("*Repository.list_platforms by index", "requests error", "The indices say it."),
        ],
        "reprs of bundles": [
            (
                "* Bundle.__repr__*",
                "result",
                "Other classes, and quotes around names as elsewhere.",
            ),
            ("* BundleCollection.__repr__*", "result", "Likewise."),
            ("* LocalBundle.__*", "result", "Likewise."),
            ("* BundleCollection.from_file *", "result", "Likewise."),
            ("* Repository.upload_bundle plain", "result", "Likewise."),
            ("* Repository.upload_bundle overwriting", "result", "Likewise."),
            ("* Repository.upload_bundle odd", "result", "Likewise."),
        ],
        "`str` of a platform": [
            ("old v* SinglePlatformRepository.__str__", "result", "As in newer releases."),
            ("old v* Repository.platform", "result", "Likewise."),
        ],
    }
)

#: The headers that differ, and the rows that tell it.
HEADERS = {
    "accept": "`Accept`",
    "accept-encoding": "`Accept-Encoding`",
    "authorization": "user names and passwords beyond ASCII",
    "connection": "`Connection",
    "content-length": "`Connection",
    "user-agent": "`User-Agent`",
}

#: The rows of what the other tests hold: `test_connecting.test_urls`, `test_names.INSIDES`.
ELSEWHERE = (
    "a path in the server's URL",
    "a query in the server's URL",
    "helpers of bundle objects",
)


def intended(case: str) -> set[str]:
    """Return in what the clients are to differ at a call."""
    return {what for difference in INTENDED if difference.has(case) for what in difference.what}
