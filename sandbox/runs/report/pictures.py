"""PNG and JPEG pictures checked byte by byte and rebuilt from the parts that draw.

A picture is hostile too: it may be another file in disguise, carry a second file after its end,
hold text and places in its metadata, animate, or unfold into gigabytes. Only the chunks that draw
one still picture are copied; a picture that is broken or too large is refused with a reason.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from dataclasses import dataclass

from sandbox.runs.report.words import Words

LARGEST_BYTES = 8_000_000
LARGEST_PIXELS = 40_000_000  # 160 MB once unfolded; an A4 page at 600 dpi has 35 million
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
PNG_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"IDAT", b"IEND"}
JPEG_MAGIC = b"\xff\xd8\xff"
JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
# Of the application segments, JFIF (0) and Adobe (14: colour transform) are needed to draw.
JPEG_DROPPED = {*range(0xE1, 0xF0), 0xFE} - {0xEE}


class PictureError(Exception):
    """A picture that the report does not show; carries the reason for the reader."""

    def __init__(self, reason: Words) -> None:
        super().__init__(reason.en)
        self.reason = reason


BROKEN = Words("tệp hình bị hỏng hoặc không đúng loại", "the file is broken or of another kind")
TOO_LARGE = Words("hình quá lớn", "the picture is too large")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture that is safe to embed, with its size for the page's layout."""

    mime: str
    data: bytes
    width: int
    height: int

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return f"data:{self.mime};base64,{base64.b64encode(self.data).decode('ascii')}"


def picture(mime: str, encoded: object) -> Picture:
    """Decode and rebuild a PNG or JPEG given in base64; raise PictureError otherwise."""
    if not isinstance(encoded, str):
        raise PictureError(BROKEN)
    if len(encoded) > LARGEST_BYTES * 3 // 2:
        raise PictureError(TOO_LARGE)
    try:
        data = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise PictureError(BROKEN) from error
    if len(data) > LARGEST_BYTES:
        raise PictureError(TOO_LARGE)
    try:
        made = PICTURES[mime](data)
    except (KeyError, IndexError, struct.error) as error:
        raise PictureError(BROKEN) from error
    if made.width < 1 or made.height < 1:
        raise PictureError(BROKEN)
    if made.width * made.height > LARGEST_PIXELS:
        raise PictureError(TOO_LARGE)
    return made


def _png(data: bytes) -> Picture:
    if not data.startswith(PNG_MAGIC):
        raise PictureError(BROKEN)
    kept, at = [PNG_MAGIC], len(PNG_MAGIC)
    kinds: list[bytes] = []
    while not kinds or kinds[-1] != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(kind + body) != checksum:
            raise PictureError(BROKEN)
        kinds.append(kind)
        if kind in PNG_CHUNKS:
            kept.append(data[at : at + 12 + length])
        at += 12 + length
    if kinds[0] != b"IHDR" or b"IDAT" not in kinds:
        raise PictureError(BROKEN)
    width, height = struct.unpack_from(">II", data, 16)
    return Picture(mime="image/png", data=b"".join(kept), width=width, height=height)


def _jpeg(data: bytes) -> Picture:
    if not data.startswith(JPEG_MAGIC):
        raise PictureError(BROKEN)
    kept, at, width, height = [data[:2]], 2, 0, 0
    while data[at + 1] != 0xDA:  # the scan; after it come the pixels
        mark, kind, length = struct.unpack_from(">BBH", data, at)
        if mark != 0xFF or length < 2:
            raise PictureError(BROKEN)
        if kind in JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
        if kind not in JPEG_DROPPED:
            kept.append(data[at : at + 2 + length])
        at += 2 + length
    end = data.rfind(b"\xff\xd9")
    if end < at:
        raise PictureError(BROKEN)
    kept.append(data[at : end + 2])
    return Picture(mime="image/jpeg", data=b"".join(kept), width=width, height=height)


PICTURES = {"image/png": _png, "image/jpeg": _jpeg}
