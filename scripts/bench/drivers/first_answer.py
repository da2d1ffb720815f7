"""Import, a client, one request: ``first_answer.py URL USER PASSWORD VERIFY``.

The whole process is timed from outside, so it does nothing else.
"""

import sys

from hatcher.api import BroodClient

_url, _user, _password, _verify = sys.argv[1:]
_client = BroodClient.from_url(
    _url, auth=(_user, _password), verify_ssl=_verify or True, api_version=1
)
if not _client.list_platforms():
    sys.exit("There is no platform.")
