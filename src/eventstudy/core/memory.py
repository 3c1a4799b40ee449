"""What is freed stays in the process while blocks are computed, and is given back to the system after them.

This is about glibc, the allocator of most Linux systems; elsewhere, nothing happens. It returns freed arrays above a
threshold to the system, and those of the next block fault the memory in again, which takes as long as the arithmetic.
Below the threshold it returns nothing, and the arrays of a result do not fit where those of blocks were.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

import numpy as np

LARGE = 31 * 2**20  # the largest array whose freeing raises the threshold
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
NO_GLIBC = OSError, AttributeError, TypeError


def keep_freed() -> None:
    """Let the process keep what it frees, for the next block."""
    np.empty(LARGE, dtype=np.uint8)


def keep_freed_on_a_worker() -> None:
    """Do the same where the threshold is fixed: Dask lets its workers return every freed array to the system."""
    with suppress(*NO_GLIBC):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGE)
        mallopt(M_TRIM_THRESHOLD, 8 * LARGE)


def give_back() -> None:
    """Return all that is free to the system."""
    with suppress(*NO_GLIBC):
        ctypes.CDLL(None).malloc_trim(0)
