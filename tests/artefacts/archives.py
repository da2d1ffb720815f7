"""Eggs of their metadata alone, which okonomiyaki need not be able to write."""

from __future__ import annotations

import io
import warnings
import zipfile

DEPEND = "EGG-INFO/spec/depend"

SPEC = """\
metadata_version = '1.4'
name = 'Spam'
version = '1.0'
build = 2
arch = 'amd64'
platform = 'linux2'
osdist = 'RedHat_8'
python = None
python_tag = 'cp311'
abi_tag = None
platform_tag = 'linux_x86_64'
platform_abi = 'gnu'
packages = [
  'eggs 2.0-1',
]
"""


def archive(
    content: bytes | str,
    member: str = DEPEND,
    method: int = zipfile.ZIP_DEFLATED,
    more: dict[str, bytes] | None = None,
) -> bytes:
    """A zip file with one description."""
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", method) as made:
            made.writestr(member, content)
            for name, data in (more or {}).items():
                with warnings.catch_warnings(action="ignore"):
                    made.writestr(name, data)
        return file.getvalue()
