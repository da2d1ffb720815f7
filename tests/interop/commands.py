"""Runs a client's command line for the tests: a JSON object per line in, one out.

Each command runs as ``python -m hatcher …`` would, in a process of its own; but that process
is forked from one in which everything is imported already, which saves half a second.
"""

import contextlib
import json
import os
import runpy
import sys
import tempfile
import traceback

import hatcher.cli.main  # noqa: F401 - this is what takes so long


def run(args, folder, typed, environment):
    """Run one command, with more environment variables; return its status, and what it wrote."""
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
        files[0].write(typed.encode())
        files[0].seek(0)
        child = os.fork()
        if child == 0:
            for number, file in enumerate(files):
                os.dup2(file.fileno(), number)
            become(args, folder, environment)
        _, status = os.waitpid(child, 0)
        for file in files:
            file.seek(0)
        _, stdout, stderr = (file.read().decode() for file in files)
        return {"returncode": os.WEXITSTATUS(status), "stdout": stdout, "stderr": stderr}


def become(args, folder, environment):
    """Be the command, and end."""
    status = 1
    try:
        os.environ.update(environment)
        os.chdir(folder)
        sys.stdin = os.fdopen(0)
        sys.argv = ["hatcher", *args]
        runpy.run_module("hatcher", run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = {None: 0}.get(end.code, end.code)
        if not isinstance(status, int):
            print(status, file=sys.stderr)
            status = 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


for line in sys.stdin:
    print(json.dumps(run(**json.loads(line))), flush=True)
