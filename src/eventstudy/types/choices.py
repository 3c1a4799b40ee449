"""The choices of a study, with their types and defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np

from eventstudy.errors import one_of
from eventstudy.types.members import Model, Test
from eventstudy.types.names import Chosen, ModelName, TestName
from eventstudy.types.sample import Spec

Window = tuple[int, int]
Returns = Literal["simple", "log"]
Price = Literal["close", "open", "high", "low"]
OnClosed = Literal["next", "previous", "drop", "raise"]
Gaps = Literal["missing", "span"]
Accumulate = Literal["sum", "compound"]
Suspended = Literal["keep", "next_trade"]
Stated = Mapping[str, Mapping[str, str | None]]
Contaminated = Literal["keep", "flag", "mask", "drop"]
Contradictory = Literal["drop", "keep"]
PRICE_FIELDS: tuple[Price, ...] = get_args(Price)


@dataclass(frozen=True)
class Choices:
    """The choices of a study; :class:`eventstudy.Study` documents and checks them."""

    model: ModelName | str | Model = "market"
    benchmark: str | Mapping[str, str] | None = None
    estimation: Window = (-260, -11)
    event: Window = (-10, 10)
    windows: Sequence[Window] = ((0, 0), (-1, 1), (0, 5))
    tests: Chosen | TestName | str | Sequence[TestName | str | Test] | Mapping[str, TestName | str | Test] = "default"
    returns: Returns = "simple"
    price: Price = "close"
    min_estimation: int = 120
    on_closed: OnClosed = "next"
    seed: int = 0
    gaps: Gaps = "missing"
    min_coverage: float = 1.0
    group: str | None = None
    weight: str | None = None
    sign: str | None = None
    peers: str | Sequence[str] | Mapping[str, Sequence[str]] | None = None
    outcome: str = "return"
    accumulate: Accumulate = "sum"
    currency: str | None = None
    contaminated: Contaminated = "keep"
    confounding: Window | None = None
    estimation_columns: tuple[str, str] | None = None
    event_columns: tuple[str, str] | None = None
    calendars: Stated | None = None
    suspended: Suspended = "keep"
    contradictory: Contradictory = "drop"

    def __new__(cls, *_: object, **choices: object) -> Self:
        """Raise InputError for a choice that does not exist, with the nearest that does."""
        unknown = [name for name in choices if name not in cls.__dataclass_fields__]
        if unknown:
            raise one_of("a choice of the study", unknown[0], cls.__dataclass_fields__)
        return super().__new__(cls)

    @property
    def compound(self) -> bool:
        """Whether returns are compounded over a window (BHAR) rather than summed (CAR)."""
        return self.accumulate == "compound"

    @property
    def spec(self) -> Spec:
        """The windows, as the core takes them."""
        windows = np.array(self.windows, dtype=np.int64)
        return Spec(self.estimation, self.event, windows, self.min_estimation, self.min_coverage, self.compound)
