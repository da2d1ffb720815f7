"""How Sphinx builds the manual; `make docs` does."""

import builtins
from typing import get_args

from docutils import nodes
from numpydoc.xref import DEFAULT_LINKS
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

import hatcher.api
from hatcher.aio.twin import Twin
from hatcher.core.bundles import LocalBundle
from hatcher.core.dependencies import DependencyTree
from hatcher.core.index import Index
from hatcher.core.node import Node
from hatcher.errors import ErrorResponse, HatcherException, MissingName
from hatcher.mirror import Pruning

project = "hatcher"
author = "The hatcher developers"
copyright = author
version = release = hatcher.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"hatcher {version}"
html_static_path = ["_static"]
html_css_files = ["manual.css"]
html_show_copyright = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#8a5a00",
        "color-brand-content": "#8a5a00",
        "color-api-name": "#8a5a00",
        "color-api-pre-name": "#8a5a00",
    },
    "dark_css_variables": {
        "color-brand-primary": "#f0b64a",
        "color-brand-content": "#f0b64a",
        "color-api-name": "#f0b64a",
        "color-api-pre-name": "#f0b64a",
    },
}

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# In docstrings, `Team.list_users` is a link.
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [
    (r"py:obj", r"[a-z_]+|True|False"),  # parameters, in single backticks
    (
        r"py:.*",
        r"(brood_api|collections\.abc|contextlib|datetime|httpx|os|pandas|pathlib|rich)\..*",
    ),  # the manuals of others
    (
        r"py:class",
        r"Action|Any(Bundle|Egg|Progress)|Artefact|AuthTypes|By|Client|Console|EllipsisType|Has(Email|Name)|Kind|Names|OnRequest|OnResponse|Outcome|Path|Place|Promotable|SideLike|Where|timedelta|hatcher\.core\.team\.Has\w+",
    ),  # in signatures
    (
        r"py:(class|obj)",
        r"(hatcher\.mirror\.(sides|selection)\.)?(Side|Selection)",
    ),  # what is behind a place, and what its methods' arguments come to
]
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
toc_object_entries_show_parents = "hide"
python_maximum_signature_line_length = 100

# Methods stand below their class, so no table of them is needed.
numpydoc_show_class_members = False
numpydoc_xref_param_type = True
# numpydoc would link Python's own types to Python's manual, which is not there offline.
numpydoc_xref_aliases = {name: name for name in DEFAULT_LINKS}
numpydoc_xref_ignore = {
    "callable",
    "default",
    "iterable",
    "iterator",
    "mapping",
    "of",
    "optional",
    "or",
    "path-like",
    "sequence",
    "tuple",
    "to",
}

#: What numpydoc's validation must not find: substance, and no matters of taste.
numpydoc_validation_checks = {
    "GL07",  # sections in another order than the standard's
    "GL08",  # no docstring
    "PR01",  # parameters without a word
    "PR02",  # ... or that do not exist
    "PR03",  # ... or in another order
    "PR10",  # ... or with their type run in
    "RT01",  # no word on what is returned
    "SS01",  # no summary
    "SS03",  # a summary that is no sentence
    "YD01",  # no word on what is yielded
}

# Nobody makes these by hand, so how to make one is no part of their documentation.
numpydoc_validation_exclude = {
    r"^hatcher\.errors\.\w+$",
    r"\.(Organization|Team|User|Repository|SinglePlatformRepository)$",
    r"\.(Egg|Runtime|App|Bundle|BundleCollection|LocalBundle|Index|BroodClient|Progress)$",
    r"\.(DependencyTree|Pruning)$",
    r"\.(RequestEvent|ResponseEvent)$",
    r"^hatcher\.aio\.(Async\w+|Iteration)$",
    r"^hatcher\.testing\.(Request|Passage|UnsuitableDistributionError)$",
    r"^hatcher\.core\.documents\.",  # the description's words
}
_MADE_FOR_USERS = (
    Node,
    LocalBundle,
    Index,
    DependencyTree,
    Pruning,
    HatcherException,
    ErrorResponse,
    MissingName,
    hatcher.api.RequestEvent,
    hatcher.api.ResponseEvent,
    Twin,
)


def hide_construction(
    app: Sphinx,
    what: str,
    name: str,
    obj: object,
    options: object,
    signature: str | None,
    _: str | None,
) -> tuple[str, None] | None:
    """Show no parameters of classes that users do not call."""
    if signature and isinstance(obj, type) and issubclass(obj, _MADE_FOR_USERS):
        return "", None
    return None


def skip_fields(
    app: Sphinx, what: str, name: str, obj: object, skip: bool, options: object
) -> bool | None:
    """Leave out the fields of named tuples: their class's docstring tells them."""
    return True if isinstance(obj, type(MissingName.name)) else None


def fill_in_type(
    app: Sphinx,
    what: str,
    name: str,
    obj: object,
    options: object,
    signature: str | None,
    returned: str | None,
) -> tuple[str | None, str] | None:
    """Show what the metadata of a kind of artefact are, instead of a type variable."""
    if returned is None or not returned.endswith(".M"):
        return None
    artefact = getattr(hatcher.api, name.split(".")[-2].removeprefix("Async"))
    (metadata,) = get_args(artefact.__orig_bases__[0])
    return signature, f"~hatcher.core.documents.{metadata.__forward_arg__}"


def hide_private_bases(
    app: Sphinx, name: str, obj: object, options: object, bases: list[type]
) -> None:
    """Show the public bases of a class only."""
    bases[:] = [base for base in bases if not base.__name__.startswith("_")]


def find_by_end(app: Sphinx, document: nodes.document) -> None:
    """Let references in docstrings name a class, or a method of it, without its module.

    What has no class of its own in ``hatcher.aio.mirror`` is that of ``hatcher.mirror``.
    """
    for reference in document.findall(pending_xref):
        if reference.get("refdomain") != "py":
            continue
        if hasattr(builtins, reference["reftarget"]) and "refspecific" in reference:
            del reference["refspecific"]  # `bytes` is no property of that name
        elif reference["reftarget"][:1].isupper():
            reference["refspecific"] = True
            if not reference["reftarget"].startswith("Async"):
                module = reference.get("py:module") or ""
                reference["py:module"] = module.replace("hatcher.aio", "hatcher")


def setup(app: Sphinx) -> None:
    """Connect to the build."""
    app.connect("autodoc-process-signature", hide_construction)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("autodoc-process-signature", fill_in_type)
    app.connect("autodoc-process-bases", hide_private_bases)
    app.connect("doctree-read", find_by_end)
