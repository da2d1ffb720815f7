"""Platforms and python tags."""

from __future__ import annotations

from starlette.responses import Response

from hatcher.server.binding import operation
from hatcher.server.calls import Call, answer
from hatcher.server.platforms import GENERIC_PYTHON_TAGS, PLATFORMS, PYTHON_TAGS


@operation("list_platforms")
def list_platforms(call: Call) -> Response:
    """List the platforms."""
    return answer({"platforms": PLATFORMS})


@operation("list_python_tags")
def list_python_tags(call: Call) -> Response:
    """List the python tags of real implementations."""
    return answer({"python_tags": PYTHON_TAGS})


@operation("list_all_python_tags")
def list_all_python_tags(call: Call) -> Response:
    """List these and the generic ones."""
    return answer({"python_tags": PYTHON_TAGS + GENERIC_PYTHON_TAGS})
