"""An archive of a delta as a source: what it carries, and what its manifest lists besides."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from hatcher.artefacts.app import read_app
from hatcher.artefacts.bundle import read_bundle_document
from hatcher.errors import ArtefactError, HatcherException
from hatcher.files.atomic import replacing
from hatcher.mirror.documents import DOCUMENTS, digest
from hatcher.mirror.ends.base import End
from hatcher.mirror.ends.listed import Listed
from hatcher.mirror.manifests.archives import blocks_of_member, check_member, read_archive
from hatcher.mirror.manifests.manifest import Entry
from hatcher.mirror.states import Held
from hatcher.transfer.progress import Progress


class Archive(Listed):
    """A file that `pack` has written.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    ArtefactError
        It is none, is damaged, or not to be trusted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.contents = read_archive(path)
        super().__init__(self.contents.manifest)

    def beside(self, names: tuple[str, ...], api_version: int) -> End:
        """Return it as it is: it is of one place."""
        return self

    def _wrong(self, entry: Entry) -> HatcherException | None:
        """Why something that is listed cannot be had."""
        if entry.carried:
            return None
        return ArtefactError(
            f"'{self.path}' does not carry it: it was packed for a target that had it already. "
            "Pack one for what this target has."
        )

    def obtain(self, path: str, held: Held, into: Path, progress: Progress | None = None) -> Path:
        """Take a file out of it, and verify it; see `End.obtain`."""
        if held.wrong is not None:
            raise held.wrong
        full: str = held.origin
        member, entry = self.contents.members[full], self.manifest.artefacts[full]
        digester, done = hashlib.sha256(), 0
        with replacing(into) as file:
            for block in blocks_of_member(self.path, member):
                digester.update(block)
                file.write(block)
                done += len(block)
                if progress is not None:
                    progress(done, member.size, "downloading")
            check_member(self.path, member, entry, digester.hexdigest())
            if entry.kind in DOCUMENTS:
                self._check_document(full, entry, Path(file.path))
        return into

    def _check_document(self, path: str, entry: Entry, file: Path) -> None:
        """Check that the document in a file is the one by which it was compared.

        Raises
        ------
        ArtefactError
        """
        read = read_app if entry.kind == "apps" else read_bundle_document
        if digest(read(file).document) != entry.sha256:
            raise ArtefactError(
                f"The archive '{self.path}' is not to be trusted: the document in '{path}' is not "
                "that of which its manifest says the sha256. Pack it again from where it was made."
            )

    def __str__(self) -> str:
        return os.path.abspath(self.path)  # noqa: PTH100 - resolves no links
