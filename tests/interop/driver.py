"""Drives a client of Brood for the tests: a JSON object per line in, one out.

It runs in the environments of the existing client's releases, which may be old, and so
imports nothing of this project's tests. The tests import it to drive our client likewise.
"""

import json
import sys

from hatcher import api

_kept = {}


def connect(url, api_version, auth=None, session=None, keep=False):
    """Make a client.

    `auth` is ``{"basic": [name, password]}``, ``{"bearer": token}``, ``{"exchange": token or
    [name, password]}`` or None; `session` the library whose session it shall use, if any. With
    `keep` the same client serves again.
    """
    if keep:
        client = _kept.get((url, api_version))
        if client is None:
            client = _kept[url, api_version] = connect(url, api_version, auth, session)
        return client
    auth = auth or {}
    credentials = None
    if "basic" in auth:
        credentials = tuple(auth["basic"])
    elif "bearer" in auth:
        credentials = api.BroodBearerTokenAuth(auth["bearer"])
    elif "exchange" in auth:
        exchanged = auth["exchange"]
        exchanged = tuple(exchanged) if isinstance(exchanged, list) else exchanged
        credentials = api.BroodClientAuth(url, exchanged)
    if session == "requests":
        import requests

        own = requests.Session()
        own.auth = credentials
        return api.BroodClient.from_session(url, own, api_version=api_version)
    if session == "httpx":
        import httpx

        own = httpx.Client(auth=credentials)
        return api.BroodClient.from_session(url, own, api_version=api_version)
    return api.BroodClient.from_url(url, auth=credentials, api_version=api_version)


def follow(client, node):
    """Go from the client to a node: `node` is a list of ``[method, *args]`` or ``[attribute]``."""
    for step, *args in node:
        client = getattr(client, step)
        if args:
            client = client(*args)
    return client


def plain(value):
    """What of a result can be compared."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)) or hasattr(value, "__next__"):
        return [plain(item) for item in value]
    return str(value)


def call(connection, node, method, args=(), kwargs=None):
    """Call a method, or read an attribute; ``{"node": …}`` stands for an object as an argument."""
    client = connect(**connection)
    try:

        def given(value):
            if isinstance(value, dict) and set(value) == {"node"}:
                return follow(client, value["node"])
            if isinstance(value, (list, tuple)):
                return [given(item) for item in value]
            return value

        result = getattr(follow(client, node), method)
        if callable(result):
            keywords = {name: given(value) for name, value in (kwargs or {}).items()}
            result = result(*map(given, args), **keywords)
        if method.startswith("iter_"):
            length, chunks = result
            return [length, sum(chunks)]
        return plain(result)
    finally:
        if hasattr(client, "close") and not connection.get("keep"):
            client.close()


def names(connection, node):
    """The public names of a node: for methods their parameters, for other things None.

    Of a parameter: its name, whether it has a default, that, and whether it goes by name only.
    """
    import inspect

    target = follow(connect(**connection), node)
    found = {}
    for name in dir(target):
        if not name.startswith("_"):
            value = getattr(target, name)
            found[name] = None
            if inspect.ismethod(value) or inspect.isfunction(value):
                found[name] = [
                    [
                        parameter.name,
                        parameter.default is not parameter.empty,
                        None if parameter.default is parameter.empty else plain(parameter.default),
                        parameter.kind is parameter.KEYWORD_ONLY,
                    ]
                    for parameter in inspect.signature(value).parameters.values()
                ]
    return found


def answer(question):
    """Return ``{"result": …}`` or ``{"error": …}``."""
    question = dict(question)
    do = {"call": call, "names": names}[question.pop("do", "call")]
    try:
        return {"result": do(**question)}
    except Exception as error:
        response = getattr(error, "response", None)
        return {
            "error": {
                "kind": type(error).__name__,
                "kinds": [kind.__name__ for kind in type(error).__mro__],
                "message": str(error),
                "status": None if response is None else response.status_code,
            }
        }


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
