"""Pages for people: what this is, and the interactive documentation, all offline."""

from __future__ import annotations

import html
import json
from importlib import resources
from pathlib import Path
from string import Template

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from hatcher import __version__
from hatcher.server.description import Description

#: The pages themselves, and Swagger UI, which came from npm as it is.
_STATIC = Path(str(resources.files("hatcher.server") / "static"))
#: Pages take nothing from elsewhere and run nothing that stands in them; nobody frames them.
_POLICY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
}


def pages(description: Description) -> list[BaseRoute]:
    """Return the routes of the pages.

    Parameters
    ----------
    description : Description
        What the documentation is to show.
    """
    text = json.dumps(description.document, ensure_ascii=False).encode()

    def openapi(request: Request) -> Response:
        return Response(text, media_type="application/json", headers=_POLICY)

    return [
        Route("/", _home),
        Route("/docs", _docs),
        Route("/openapi.json", openapi),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]


def _home(request: Request) -> Response:
    page = Template((_STATIC / "home.html").read_text(encoding="utf-8"))
    url = html.escape(str(request.base_url).rstrip("/"))
    return HTMLResponse(page.substitute(version=__version__, url=url), headers=_POLICY)


def _docs(request: Request) -> Response:
    return FileResponse(_STATIC / "docs.html", headers=_POLICY)
