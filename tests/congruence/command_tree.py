"""Prints a client's command line as JSON: runs in the environment of any release, and in ours.

::

    python command_tree.py API_VERSION
"""

import json
import sys

import click


def root():
    """The command `hatcher`, with all that is below it."""
    try:
        from hatcher.cli.main import hatcher  # of the existing client
    except ImportError:
        from hatcher.cli.root import hatcher
    return hatcher


def commands(context, path):
    """Give every command at and below a context's command, with its path."""
    command = context.command
    yield path, command
    if hasattr(command, "list_commands"):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            child = click.Context(below, parent=context, info_name=name)
            yield from commands(child, [*path, name])


def described(param):
    """What a parameter is to those who type it or set its environment variable."""
    default = param.default
    # Newer versions of click say UNSET where others say None, and () for many.
    if not isinstance(default, (str, int, float, bool)):
        default = None
    if getattr(param, "is_flag", False) and default is None:
        default = False
    return {
        "name": param.name,
        "kind": param.param_type_name,
        "flags": sorted(param.opts) if param.param_type_name == "option" else [],
        "off": sorted(param.secondary_opts),
        "nargs": param.nargs,
        "required": param.required,
        "multiple": bool(getattr(param, "multiple", False)),
        "is_flag": bool(getattr(param, "is_flag", False)),
        "choices": sorted(getattr(param.type, "choices", None) or []),
        "default": default,
    }


def main():
    """Print the tree."""
    context = click.Context(root(), info_name="hatcher")
    context.params["api_version"] = sys.argv[1]
    tree = {
        " ".join(path): {
            "is_group": hasattr(command, "list_commands"),
            "params": [described(param) for param in command.params],
        }
        for path, command in commands(context, [])
    }
    print(json.dumps(tree))


main()
