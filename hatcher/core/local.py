"""Local files that are to be artefacts on a server: compared with what is there, and sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from hatcher.core.artefact import Artefact
from hatcher.core.node import Node
from hatcher.errors import ChecksumMismatchError, FileChangedError, InvalidRuntime
from hatcher.transfer import hashing, upload
from hatcher.transfer.progress import Progress

if TYPE_CHECKING:
    from hatcher.transport.request import Request


class LocalArtefact(NamedTuple):
    """A file that has been read, and what it is to be on a server.

    Attributes
    ----------
    kind : str
        What the operations of the description call it.
    path : pathlib.Path
    platform : SinglePlatformRepository
        Where it goes.
    there : Artefact or None
        What it will be; None where the file does not say enough to ask the server for it.
    described : mapping
        What the server is told beside the sha256.
    document : mapping, optional
        What it is compared by, where that is not its sha256.
    filename : str, optional
        What the server is told that the file is called, where that is otherwise than here.
    """

    kind: str
    path: Path
    platform: Node
    there: Artefact[Any] | None
    described: Mapping[str, Any] = MappingProxyType({})
    document: Mapping[str, Any] | None = None
    filename: str | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """What it is called on the server: two files with one key cannot both be there."""
        return self.platform, self.there._address if self.there else self.path.name

    def _same_there(self, **options: Any) -> Mapping[str, Any] | None:
        """Return what the server says of it; None when it has none, or one that may be replaced."""
        assert self.there is not None
        said: Mapping[str, Any] | None = self.there._found()
        if said is None or not self.is_same(self.there._content_in(said), **options):
            return None
        return said

    def is_same(
        self,
        content: Any,
        *,
        overwrite: bool,
        progress: Progress | None = None,
        sent: str | None = None,
    ) -> bool:
        """Return whether it is what the server has, by sha256 or document, never by its name.

        Parameters
        ----------
        content : object
            The sha256 or the document of what the server has.
        overwrite : bool
            Whether it may replace that.
        progress : Progress, optional
            Told how many bytes have been hashed.
        sent : str, optional
            The sha256 of what was sent, when the answer to that got lost.

        Raises
        ------
        ChecksumMismatchError
            The server has something else of that name, which must stay.
        FileChangedError
            The file is gone.
        """
        own = sent or ("" if self.document else self._sha256(progress))
        if content == (self.document or own):
            return True
        if overwrite:
            return False
        why = f"its sha256 is {content}, that of '{self.path}' is {own}"
        if self.document:
            content, why = None, "its document is not the same"
        problem = f"{self.platform} has another {self.path.name}: {why}."
        if sent is None:
            problem += " Nothing was sent."
        else:
            problem = f"The answer to the upload of '{self.path}' was lost, and now {problem}"
        raise ChecksumMismatchError(
            f"{problem} Give it a new build number, or pass overwrite=True.",
            expected=own or None,
            actual=content,
        )

    def _sha256(self, progress: Progress | None) -> str:
        try:
            return hashing.file_sha256(self.path, progress=progress)
        except FileNotFoundError as error:
            raise FileChangedError(
                f"'{self.path}' is gone: it was there when it was looked at. Nothing was sent; "
                "check what removes it."
            ) from error

    def upload(
        self,
        *,
        overwrite: bool,
        verify: bool = False,
        progress: Progress | None = None,
        expected: str | None = None,
        enabled: bool | None = None,
        sent: Callable[[str | None], object] | None = None,
    ) -> bool:
        """Upload it; return whether the server did not have it already.

        Parameters
        ----------
        overwrite : bool
            Replace something else of the same name.
        verify : bool, default False
            Compare it with what is there first, unless that may be replaced anyway.
        progress : Progress, optional
        expected : str, optional
            The sha256 without which nothing is stored.
        enabled : bool, optional
            Of an egg: whether the index shows it.
        sent : callable, optional
            Is told the sha256 of what was sent.
        """
        session = self.platform._session
        flags = {} if enabled is None else {"enabled": enabled}
        request = self.platform._request(f"upload_{self.kind}", overwrite=overwrite, **flags)
        question = None
        if verify and not overwrite:
            question = self._begin_question(request)
            if self._same_there(overwrite=False, progress=progress) is not None:
                return False

        def is_stored(sha256: str | None = None) -> bool:
            said = self._same_there(overwrite=overwrite, sent=sha256, progress=progress)
            # One that is hidden, and should not be, has to be sent again, and so is shown.
            return said is not None and enabled in (None, said.get("enabled", enabled))

        looks = is_stored if self.there is not None else None
        doubts, place = session.uploads_in_doubt, (request.path, self.key[1])
        was_sent = place in doubts
        if was_sent and looks is not None and looks():
            doubts.discard(place)
            return False

        # Imported here, where something is sent: hashlib alone takes 5 ms.
        from hatcher.transfer.multipart import UploadBody

        body = UploadBody(self.path, self.described, progress, expected, self.filename)
        try:
            is_new = upload.upload(session, request, body, looks, question, was_sent=was_sent)
            doubts.discard(place)
            return is_new
        except BaseException as error:
            # Ctrl-C, and being cancelled, leave open what became of it.
            if body.sent_sha256 is not None and not isinstance(error, Exception):
                doubts.add(place)
            raise
        finally:
            if sent is not None:
                sent(body.sent_sha256)

    def _begin_question(self, request: Request) -> Request | None:
        """Have it asked whether a large file may be uploaded, while it is compared."""
        if self.there is None:
            raise InvalidRuntime(
                f"'{self.path}' cannot be verified: its version gives no python tag to ask the "
                "server for. Upload it without verify."
            )
        with suppress(OSError):  # it is told when the file is read
            if self.path.stat().st_size >= upload.LARGE:
                from hatcher.transfer import preflight

                return preflight.begin(self.platform._session, request)
        return None
