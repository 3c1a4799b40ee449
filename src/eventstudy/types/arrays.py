"""Names of arrays by their kind, and the check of their shapes."""

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
State = Mapping[str, Any]
BEYOND = 10**11  # days or seconds from 1970 that no date has: sessions before or after a calendar count from there


def check_shape(name: str, array: Any, shape: tuple[int, ...]) -> None:
    """Refuse an array of another shape."""
    if array.shape != shape:
        raise InputError(f"{name} has shape {array.shape}; {shape} is needed")
