"""Array types by element type, and a check of shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventstudy.errors import InputError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Dates = NDArray[np.datetime64]
State = Mapping[str, Any]  # leaves by name: arrays, Rows or Gathered of core.sums
StateSum = dict[str, Any]  # the sum of states: arrays or Gathered by name
# Days or seconds since 1970 that no date reaches: sessions outside a calendar are numbered from here.
NO_DATE = 10**11


def check_shape(name: str, array: NDArray[np.generic], shape: tuple[int, ...]) -> None:
    """Raise InputError if an array does not have the shape."""
    if array.shape != shape:
        raise InputError(f"{name} has shape {array.shape}; {shape} is needed")
