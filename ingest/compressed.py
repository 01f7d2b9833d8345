"""Plain, gzip or Zstandard files as plain bytes, told apart by their content and not by their name."""

from __future__ import annotations

import io
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdDecompressor, ZstdError
else:
    from backports.zstd import ZstdDecompressor, ZstdError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class _Decompressor(Protocol):
    """What `zlib` and `zstd` decompressors share."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class _Inflated(io.RawIOBase):
    """Compressed bytes as plain ones. Where the data breaks, all that stands before is given out first."""

    def __init__(self, file: BinaryIO, fresh: Callable[[], _Decompressor]) -> None:
        self._file, self._fresh, self._inside = file, fresh, fresh()
        self._pending = b""
        self._complaint: str | None = None

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        room = memoryview(buffer).cast("B")
        while not self._pending:
            if self._complaint is not None:
                raise EOFError(self._complaint)
            if not self._more():
                return 0
        taken = self._pending[: len(room)]
        room[: len(taken)] = taken
        self._pending = self._pending[len(taken) :]
        return len(taken)

    def _more(self) -> bool:
        """Decompress the next piece; False at a clean end."""
        if self._inside.eof:
            piece = self._inside.unused_data or self._file.read(_PIECE_BYTES)
            if not piece.strip(b"\0"):
                return False
            self._inside = self._fresh()
        else:
            piece = self._file.read(_PIECE_BYTES)
            if not piece:
                self._complaint = "it ends before its end mark"
                return True
        try:
            self._pending = self._inside.decompress(piece)
        except (zlib.error, ZstdError) as error:
            self._complaint = str(error)
        return True


_PIECE_BYTES: Final = 1 << 16


def open_plain(path: Path) -> BinaryIO:
    """The file's bytes, decompressed by what the bytes say, not by the name."""
    file = path.open("rb")
    head = file.read(4)
    file.seek(0)
    if head[:2] == b"\x1f\x8b":
        return io.BufferedReader(_Inflated(file, lambda: zlib.decompressobj(wbits=31)), 1 << 20)
    if head == b"\x28\xb5\x2f\xfd":
        return io.BufferedReader(_Inflated(file, ZstdDecompressor), 1 << 20)
    return file
