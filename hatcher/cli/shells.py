"""What shells are told: the scripts that make them ask, and the answers."""

from __future__ import annotations

import os
from contextlib import redirect_stderr
from typing import Any, ClassVar

import click
from click import shell_completion

from hatcher.cli.anywhere import arranged
from hatcher.cli.root import PROGRAM, VARIABLES, hatcher
from hatcher.cli.terminal import show_all

#: What a shell sets to have completions instead of a command, as click names it.
_VARIABLE = f"_{VARIABLES}_COMPLETE"

#: A comment with which each script begins.
_INSTALL = {
    "bash": '# To keep it, put this into ~/.bashrc: eval "$(hatcher completion bash)"',
    "zsh": '# To keep it, put this into ~/.zshrc, after compinit: eval "$(hatcher completion zsh)"',
    "fish": "# To keep it: hatcher completion fish > ~/.config/fish/completions/hatcher.fish",
}

# Bash takes ':', '=' and '@' as ends of words, which a URL and an email address would not
# survive: so the line is handed over as it is, and divided here.
_BASH = """\
%(complete_func)s() {
    local type value
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            plain) printf -v value %%q "$value"; COMPREPLY+=("$value") ;;
            file) compopt -o default ;;
            dir) compopt -o dirnames ;;
        esac
    done < <(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_WORDBREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

_FISH = """\
function %(complete_func)s
    for line in (env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp) \\
            COMP_CWORD=(commandline -t) %(prog_name)s 2>/dev/null)
        set -l parts (string split -m 1 , -- $line)
        switch $parts[1]
            case plain
                echo $parts[2]
            case file
                __fish_complete_path $parts[2]
            case dir
                __fish_complete_directories $parts[2]
        end
    end
end
complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""

#: Characters at which Bash may divide a word, and whether it keeps them itself.
_DIVIDERS = {":": 1, "=": 1, "@": 0}


class _Shell(shell_completion.ShellComplete):
    """What all shells have in common: their script says how to keep it, and failures are silent."""

    def source(self) -> str:
        first, _, rest = super().source().partition("\n")
        comment = _INSTALL[self.name]
        # zsh looks for its own word in the first line.
        lines = (first, comment) if first.startswith("#") else (comment, first)
        return "\n".join((*lines, rest))

    def get_completions(
        self, args: list[str], incomplete: str
    ) -> list[shell_completion.CompletionItem]:
        option, equals, _ = incomplete.partition("=")
        try:
            # The value of an option of the root is asked for where that stands: before a command.
            lines = arranged(self.cli, [*args, option] if equals else args)
            if lines.unfinished:
                args = lines.first if equals else lines.first + lines.unfinished
            items = super().get_completions(args, incomplete)
        except Exception:  # whatever it is: nobody reads a traceback in the middle of a line
            return []
        if equals and option.startswith("-"):
            # Shells replace the whole word.
            for item in items:
                item.value = f"{option}={item.value}"
        return items


class _Bash(_Shell, shell_completion.BashComplete):
    source_template: ClassVar[str] = _BASH

    #: How many characters of the word Bash will not replace.
    _kept = 0

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("COMP_LINE")
        if line is None:
            return super().get_completion_args()
        # The additional letter makes a word of what has not been begun yet.
        _, *args, last = shell_completion.split_arg_string(f"{line}x")
        incomplete = last[:-1]
        if line.endswith(f" {incomplete}"):  # and is not quoted
            breaks = set(os.environ.get("COMP_WORDBREAKS", "")).intersection(_DIVIDERS, incomplete)
            ends = (incomplete.rindex(divider) + _DIVIDERS[divider] for divider in breaks)
            self._kept = max(ends, default=0)
        return args, incomplete

    def format_completion(self, item: shell_completion.CompletionItem) -> str:
        if item.type != "plain":
            return super().format_completion(item)
        return f"{item.type},{item.value[self._kept :]}"


class _Zsh(_Shell, shell_completion.ZshComplete): ...


class _Fish(_Shell, shell_completion.FishComplete):
    source_template: ClassVar[str] = _FISH


_SHELLS: dict[str, type[_Shell]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}

#: The shells that are known.
SHELLS = tuple(_SHELLS)


def _of(shell: str) -> _Shell:
    settings: dict[str, Any] = {"auto_envvar_prefix": VARIABLES}
    return _SHELLS[shell](hatcher, settings, PROGRAM, _VARIABLE)


def script(shell: str) -> str:
    """Return what a shell must run once, to complete commands of hatcher.

    Parameters
    ----------
    shell : {'bash', 'zsh', 'fish'}
    """
    return _of(shell).source()


def answer(instruction: str) -> int:
    """Answer a shell's question, which stands in the environment.

    Parameters
    ----------
    instruction : str
        ``bash_complete``, ``bash_source``, and the same of the other shells.

    Returns
    -------
    int
        The exit code.
    """
    shell, _, what = instruction.partition("_")
    if shell not in _SHELLS or what not in {"complete", "source"}:
        return 1
    show_all()
    if what == "source":
        click.echo(script(shell), nl=False)
        return 0
    # Warnings belong to commands, not into the middle of a line.
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        try:
            click.echo(_of(shell).complete())
        except (KeyboardInterrupt, BrokenPipeError):
            return 1
    return 0
