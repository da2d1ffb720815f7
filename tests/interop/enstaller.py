"""Drives enstaller, in Python 2.7: reads the index, once more by its ETag, and fetches an egg.

``enstaller.py SITE JSON``: the JSON has ``store_kind`` (``legacy`` or ``brood``), ``url``,
``repository``, ``platform``, ``username``, ``password``, ``cache`` and ``egg``. What it has seen
goes to standard output, as JSON.
"""

import json
import sys

sys.path.insert(0, sys.argv[1])

from enstaller.config import Configuration
from enstaller.fetch import _DownloadManager
from enstaller.legacy_stores import repository_factory
from enstaller.session import Session


def main(asked):
    """Do it, and return what was seen."""
    configuration = Configuration()
    place = "{url}/repo/{repository}/{platform}/".format(**asked)
    configuration.update(
        use_webservice=False,
        store_url=asked["url"],
        indexed_repositories=[place],
        repository_cache=asked["cache"],
        auth=(asked["username"], asked["password"]),
    )
    if asked["store_kind"] == "brood":
        configuration.update(store_url="brood+" + asked["url"])
        assert configuration.store_kind == "brood"
    session = Session.authenticated_from_configuration(configuration)
    with session:
        seen = []
        for _ in range(2):
            with session.etag():
                repository = repository_factory(session, configuration.indices)
            seen.append(
                sorted([each.key, each.python, each.md5] for each in repository.iter_packages())
            )
        _DownloadManager(session, repository).fetch(asked["egg"])
    return seen


print(json.dumps(main(json.loads(sys.argv[2]))))
