"""The command itself: ``command_line.py LINE ARGUMENT...``.

LINE is what a shell is to complete, and else empty. The whole process is timed from outside, so it
does nothing else: it is what the script ``hatcher`` in the environment is.
"""

import os
import sys

_, _line, *_arguments = sys.argv
if _line:
    os.environ["_HATCHER_COMPLETE"] = "bash_complete"
    os.environ["COMP_WORDS"] = _line
    os.environ["COMP_CWORD"] = str(_line.count(" "))
_script = os.path.join(os.path.dirname(sys.executable), "hatcher")  # noqa: PTH118, PTH120
sys.argv = [_script, *_arguments]
with open(_script, encoding="utf-8") as _file:
    exec(_file.read())
