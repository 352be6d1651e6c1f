"""Memory that is used again instead of being asked for anew."""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


@cache
def keep_freed() -> None:
    """Have this process keep the memory that it gives back, up to a gigabyte.

    glibc takes each larger block afresh from the system and returns it at once, and what is free at
    the heap's end too; each page of it then costs a fault when it is first touched, which is more
    than an operation on its numbers. Other libraries are given one large block back, which teaches
    some of them the same.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        np.empty((1 << 25) - (1 << 16), dtype=np.uint8).fill(0)
        return
    mallopt(_M_MMAP_THRESHOLD, 1 << 25)  # bytes; the most that glibc allows
    mallopt(_M_TRIM_THRESHOLD, 1 << 30)
