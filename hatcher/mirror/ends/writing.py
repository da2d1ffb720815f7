"""Who writes to which end."""

from __future__ import annotations

from hatcher.mirror.ends.base import End
from hatcher.mirror.ends.folder import Folder
from hatcher.mirror.ends.place import Remote
from hatcher.mirror.ends.receiving import Options, Receiver
from hatcher.mirror.ends.storing import Storing
from hatcher.mirror.ends.uploading import Uploading
from hatcher.mirror.states import State


def receiver_of(end: End, state: State, options: Options) -> Receiver:
    """Return what writes to an end.

    Parameters
    ----------
    end : End
    state : State
        What it has.
    options : Options

    Raises
    ------
    InvalidArgumentError
        Nothing can be written to it.
    """
    end.check_writable()
    if isinstance(end, Remote):
        return Uploading(end, state, options)
    assert isinstance(end, Folder)  # no other one can be written to
    return Storing(end)
