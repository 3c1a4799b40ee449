"""The types that everything passes through, and their checks.

Arrays are named by their axes: A assets, T sessions, N events of a block, L = n_est + n_evt columns (the
estimation window is the prefix, the event window the suffix), K regressors, P estimated parameters,
V event windows, G groups, C clusters (the events of one group on one calendar on one session).
"""

from __future__ import annotations

from eventstudy.types.arrays import BEYOND, Bools, Dates, Floats, Ints, State
from eventstudy.types.block import Abnormal, Block, Scores
from eventstudy.types.members import PEERS, Column, Failing, Model, SharedState, Survives, Test, Verdict
from eventstudy.types.rerun import Outcome
from eventstudy.types.sample import EventTable, Panel, Placed, Sample, Spec, Status

__all__ = [
    "BEYOND", "PEERS", "Abnormal", "Block", "Bools", "Column", "Dates", "EventTable", "Failing", "Floats",
    "Ints", "Model", "Outcome", "Panel", "Placed", "Sample", "Scores", "SharedState", "Spec", "State", "Status",
    "Survives", "Test", "Verdict",
]  # fmt: skip
