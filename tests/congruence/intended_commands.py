"""Where our command line is otherwise than the existing one on purpose: one table.

What differs is named as the tests name it: a command with its parameter and the property of it, or a
step of a workflow. Each has its row in ``docs/porting.md``, and each row of the page's part on the
command line stands here.
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

#: What other tests show, each by its place below ``tests``.
ELSEWHERE: tuple[Difference, ...] = (
    Difference(
        "congruence/test_cli_workflows.py::test_deletes_of_before_there_were_questions",
        "other deletes, releases up to 0.10.5",
        "What newer releases ask, ours asks.",
    ),
    Difference(
        "congruence/test_cli_lists.py::test_debugging",
        "`--debug`, `HATCHER_DEBUG`",
        "Ours tells of the requests, and returns the code that scripts look at.",
    ),
    Difference(
        "congruence/test_cli_workflows.py::test_many_eggs", "`--index_timeout`", "It is not needed."
    ),
    Difference(
        "congruence/test_cli_workflows.py::test_export_and_import",
        "`import --create-missing`",
        "Each says in its own words who has made the repository.",
    ),
    Difference(
        "cli/test_failures.py::test_each_status_has_its_exit_code",
        "failures",
        "Scripts can tell them apart.",
    ),
    Difference(
        "cli/test_batches.py::test_one_failure_does_not_stop_the_others",
        "`eggs batch-upload` with a file that fails",
        "One bad file held up all others.",
    ),
    Difference(
        "cli/test_terminal.py::test_a_team_is_asked_for_in_a_terminal",
        "`bundles delete`, `teams delete`",
        "In a terminal somebody is there to answer.",
    ),
    Difference(
        "cli/test_settings.py::test_secrets_as_arguments_are_warned_of",
        "a password on the command line",
        "Others can see it.",
    ),
    Difference(
        "cli/test_settings.py::test_the_highest_level_wins_as_a_whole",
        "`HATCHER_TOKEN` and `--username`",
        "A token given by hand was not used.",
    ),
)
