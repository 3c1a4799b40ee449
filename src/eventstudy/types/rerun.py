"""What a run leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eventstudy.types.arrays import Ints
from eventstudy.types.members import Verdict


@dataclass(frozen=True)
class Outcome:
    """What a run leaves: the verdicts by test, what is shared, and every single event, by row of ``Placed``.

    ``status`` and ``n_est`` (n,) stand for all placed events; ``singles`` for those of status OK, and its ``id`` is
    the row in ``Placed``.
    """

    verdicts: Mapping[str, Verdict]
    shared: Mapping[str, Any]
    singles: dict[str, Any]
    status: Ints
    n_est: Ints
