"""The head of an answer, and where its body ends; parsed by llhttp, through httptools."""

from __future__ import annotations

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from hatcher.transport.channel import Headers, Trouble

#: Bytes that the head of an answer may have.
MAX_HEAD = 128 * 1024


class Parser:
    """Reads one answer from the bytes that it is fed.

    Interim answers (1xx) are passed over.

    Attributes
    ----------
    status_code : int
        0 until the head is complete.
    headers : Headers
        Those that come several times are joined by commas.
    body : list of bytes
        What of the body was among the bytes fed so far.
    is_complete : bool
        Whether the whole answer has been fed.
    has_excess : bool
        Whether more than one answer was: the connection cannot be used again.
    """

    def __init__(self) -> None:
        self.status_code = 0
        self.headers = Headers()
        self.body: list[bytes] = []
        self.is_complete = False
        self.has_excess = False
        self._keeps_alive = False
        self._fed = 0
        self._parser = HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises
        ------
        Trouble
            They are no HTTP.
        """
        if self.status_code == 0:
            self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if isinstance(error.__context__, KeyboardInterrupt):
                # It came while the parser called back.
                raise error.__context__ from None
            if not self.is_complete:
                raise Trouble("no HTTP", str(error)) from error
            self.has_excess = True
        if self.status_code == 0 and self._fed > MAX_HEAD:
            raise Trouble("no HTTP", f"a head of more than {MAX_HEAD:,} bytes")

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection may be used again after this answer."""
        return self._keeps_alive and not self.has_excess

    @property
    def content_length(self) -> int | None:
        """The bytes of the body, when only the head says where it ends."""
        if self.is_complete or "transfer-encoding" in self.headers:
            return None
        length = self.headers.get("content-length")
        return int(length) if length is not None else None

    @property
    def ends_with_the_connection(self) -> bool:
        """Whether nothing but the end of the connection ends the body."""
        return not {"content-length", "transfer-encoding"} & self.headers.keys()

    # -- called by httptools ---------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.is_complete:
            self.has_excess = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.has_excess:
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        known = self.headers.get(key)
        self.headers[key] = text if known is None else f"{known}, {text}"

    def on_headers_complete(self) -> None:
        if self.has_excess:
            return
        status_code = self._parser.get_status_code()
        if status_code >= 200:
            self.status_code = status_code
            self._keeps_alive = self._parser.should_keep_alive()
        else:
            self.headers.clear()

    def on_body(self, data: bytes) -> None:
        if not self.has_excess:
            self.body.append(data)

    def on_message_complete(self) -> None:
        if self.status_code != 0:
            self.is_complete = True
