"""Where our command line is otherwise than the existing one on purpose: one table.

What differs is named as the tests name it: a command with its parameter and the property of it, or a
step of a workflow. Each has its row in ``docs/porting.md``.
"""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """One difference.

    Attributes
    ----------
    what : str
        Which commands, or steps.
    manual : str
        How the row of the manual begins that tells it.
    why : str
    """

    what: str
    manual: str
    why: str


#: Of the tree of commands: ``command: parameter: property``.
TREE: tuple[Difference, ...] = ()

_UPLOADS = "what was uploaded"
_DONE = "what was done"
_QUESTIONS = "questions"

#: Of what a command writes to standard output (words) and returns: ``command: words``.
WORKFLOWS: tuple[Difference, ...] = (
    Difference("eggs upload: words", _UPLOADS, "Standard output is for data."),
    Difference("eggs batch-upload: words", _UPLOADS, "Likewise; ours tells of each file."),
    Difference("runtimes upload: words", _UPLOADS, "Likewise."),
    Difference("bundles upload: words", _UPLOADS, "Likewise."),
    Difference("apps upload: words", _UPLOADS, "Likewise."),
    Difference("eggs download: words", _DONE, "Likewise: theirs leaves an empty line."),
    Difference("runtimes download: words", _DONE, "Likewise."),
    Difference("bundles download: words", _DONE, "Likewise."),
    Difference("bundles delete: words", _DONE, "Likewise."),
    Difference("runtimes delete: words", _QUESTIONS, "Likewise: questions are no data."),
    Difference("eggs delete: words", _QUESTIONS, "Likewise."),
    Difference("repositories delete: words", _QUESTIONS, "Likewise."),
    Difference("users delete: words", _QUESTIONS, "Likewise."),
    Difference("api-tokens delete: words", _QUESTIONS, "Likewise."),
    Difference("export: words", "`export`", "Ours gives a record of each file."),
    Difference("export: manifest.json", "`export`", "What stands in the folder can be verified."),
    Difference("import: words", "`import`", "Likewise."),
    Difference(
        "import out: exit code", "`import` of what", "A job at night seemed to have worked."
    ),
    Difference("users create: words", "`users create`", "Nobody else gets to know the password."),
    Difference("teams metadata: words", "`teams metadata`", "JSON, as all other metadata."),
)
