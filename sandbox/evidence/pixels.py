"""Two pictures compared by what they show, not by how their files were written."""

from __future__ import annotations

import io

import numpy as np

from sandbox.runs.report.pictures import PictureError, picture
from sandbox.runs.verdicts import Verdict

LEVELS = 2  # of 255: how far a colour may be off
MOST_PIXELS = 20_000_000  # to unfold; a larger picture is compared by its file


def pictures(mime: str, one: str, other: str) -> tuple[Verdict, str, str]:
    """Compare two pictures given in base64; give the verdict and words for each of them."""
    if one == other:
        return Verdict.IDENTICAL, "", ""
    try:
        first, second = _unfolded(mime, one), _unfolded(mime, other)
    except (PictureError, OSError, ValueError, SyntaxError):
        return Verdict.DIFFERS, "a picture", "another file, which cannot be compared by its pixels"
    if first.shape != second.shape:
        return Verdict.DIFFERS, _size(first), _size(second)
    off = np.abs(first.astype(np.int16) - second.astype(np.int16)).max(axis=2)
    n_off = int((off > LEVELS).sum())
    if n_off:
        share = f"{100 * n_off / off.size:.3g}"
        return Verdict.DIFFERS, _size(first), f"{share} % of the pixels differ"
    if off.any():
        return Verdict.EQUAL, _size(first), f"colours off by at most {int(off.max())} of 255"
    return Verdict.IDENTICAL, "", ""


def _unfolded(mime: str, encoded: str) -> np.ndarray:
    from PIL import Image

    known = picture(mime, encoded)
    if known.width * known.height > MOST_PIXELS:
        raise ValueError("the picture is too large to unfold")
    kinds = ("PNG",) if mime == "image/png" else ("JPEG",)
    with Image.open(io.BytesIO(known.data), formats=kinds) as opened:
        return np.asarray(opened.convert("RGBA"))


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[1]} × {pixels.shape[0]} pixels"
