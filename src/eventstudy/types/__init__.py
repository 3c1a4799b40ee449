"""The types that the modules exchange, and checks of their shapes.

Arrays are named by their axes: A assets, T sessions, N events of a block, L = n_est + n_evt columns (the
estimation window is the prefix, the event window the suffix), K regressors, P estimated parameters,
V event windows, G groups, C clusters (the events of one group on one calendar on one session).
"""

from __future__ import annotations

from eventstudy.types.analysis import Analysis
from eventstudy.types.arrays import NO_DATE, Bools, Dates, Floats, Ints, State, StateSum
from eventstudy.types.block import Abnormal, Block, Grouping, Scores, grouping
from eventstudy.types.choices import (
    PRICE_FIELDS,
    Accumulate,
    Choices,
    Contaminated,
    Contradictory,
    Gaps,
    OnClosed,
    Price,
    Returns,
    Stated,
    Suspended,
    Window,
)
from eventstudy.types.members import (
    PEERS,
    Column,
    DescribedModel,
    Estimator,
    Failing,
    Model,
    SharedState,
    Test,
    Verdict,
)
from eventstudy.types.names import ModelName, PlotKind, SourceName, TableKind, TestName
from eventstudy.types.rerun import BarsView, Extra, Outcome, PricesView, Rerun, ResultFrames, Summed, required
from eventstudy.types.sample import (
    AnyPanel,
    Calendar,
    Clustering,
    DeferredPanel,
    EventTable,
    Panel,
    Placed,
    Sample,
    SharedResult,
    Spec,
    Status,
    StudySample,
    Survives,
)

__all__ = [
    "NO_DATE", "PEERS", "PRICE_FIELDS", "Abnormal", "Accumulate", "Analysis", "AnyPanel", "BarsView", "Block", "Bools",
    "Calendar", "Choices", "Clustering", "Column", "Contaminated", "Contradictory", "Dates", "DeferredPanel",
    "DescribedModel", "Estimator",
    "EventTable", "Extra", "Failing", "Floats", "Gaps", "Grouping", "Ints", "Model", "ModelName", "OnClosed", "Outcome",
    "Panel", "Placed", "PlotKind", "Price", "PricesView", "Rerun", "ResultFrames", "Returns", "Sample", "Scores",
    "SharedResult", "SharedState", "SourceName", "Spec", "State", "StateSum", "Stated", "Status",
    "StudySample", "Summed", "Survives", "Suspended", "TableKind", "Test", "TestName", "Verdict", "Window", "grouping",
    "required",
]  # fmt: skip
