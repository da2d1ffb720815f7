"""Calls the existing client for the tests: a JSON object per line in, one out.

Runs in that client's environment, so it imports nothing of this project.
"""

import json
import sys

from hatcher.api import BroodClient, BroodClientAuth


def connect(url, api_version, auth):
    if auth is None:
        credentials = None
    elif "basic" in auth:
        credentials = tuple(auth["basic"])
    else:
        exchanged = auth["exchange"]
        exchanged = tuple(exchanged) if isinstance(exchanged, list) else exchanged
        credentials = BroodClientAuth(url, exchanged)
    return BroodClient.from_url(url, auth=credentials, api_version=api_version)


def call(url, api_version, auth, node, method, args, kwargs):
    target = connect(url, api_version, auth)
    for step, name in zip(("organization", "repository", "platform"), node, strict=False):
        target = getattr(target, step)(name)
    result = getattr(target, method)(*args, **kwargs)
    if method.startswith("iter_"):
        length, chunks = result
        return [length, sum(chunks)]
    return result if isinstance(result, (dict, list, str, int, type(None))) else repr(result)


for line in sys.stdin:
    try:
        answer = {"result": call(**json.loads(line))}
    except Exception as error:
        response = getattr(error, "response", None)
        answer = {
            "error": {
                "kind": type(error).__name__,
                "message": str(error),
                "status": None if response is None else response.status_code,
            }
        }
    print(json.dumps(answer), flush=True)
