"""What becomes of parameters on their way into a request"""

from typing import Literal
from urllib.parse import quote


class Unset:
    def __bool__(self) -> Literal[False]:
        return False


UNSET: Unset = Unset()


def path_segment(name: str) -> str:
    """Quote a name for a URL's path: all of it is one segment

    Raises:
        ValueError: If the name is empty, "." or "..".
    """
    if name in ("", ".", ".."):
        raise ValueError(f"{name!r} cannot be a name in a URL")
    return quote(name, safe="")
