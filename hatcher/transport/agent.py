"""What requests say of who sends them."""

from __future__ import annotations

import sys

from hatcher import __version__

#: Servers keep statistics by its beginning.
USER_AGENT = f"hatcher/{__version__} python/{sys.version.partition(' ')[0]} ({sys.platform})"
