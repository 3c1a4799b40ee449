"""The rule of a backtest: when a trade is entered and left, how large it is, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypedDict, get_args

import numpy as np

from eventstudy import arguments
from eventstudy.core.positions import Terms
from eventstudy.display import formats
from eventstudy.errors import InputError, shown

Entry = Literal["next", "open", "close"]
Size = Literal["equal", "inverse_sigma", "capped"]
Signal = str | Callable[[Mapping[str, object]], float]
ENTRIES: tuple[Entry, ...] = get_args(Entry)
SIZES: tuple[Size, ...] = get_args(Size)
BASIS = 1e-4


class RuleOptions(TypedDict, total=False):
    """The choices of a rule that ``Result.trades`` takes beside the first four; see :class:`Rule`."""

    delay: int
    stop: float | None
    size: Size
    stake: float
    cap: float
    ticker_cap: float | None
    borrow_bps: float
    sign: Signal | None
    currency: str | None


@dataclass(frozen=True)
class Rule:
    """How announcements are traded.

    Parameters
    ----------
    entry : {"next", "open", "close"}
        The price of the entry: the first open or close later than the announcement, the first open, or the first
        close. Of intraday bars "next" is the open of the first bar that begins later.
    hold : int
        Sessions, or bars, of which the close is held: bought at an open, a share is sold at the close of the
        ``hold``-th session, that of its entry included; bought at a close, at that of the ``hold``-th session after.
    cost_bps : float
        Cost of each purchase and each sale, in basis points of its value.
    hedge : bool
        Whether beta times the value of the share is sold short of its benchmark, or bought against a short share.
    delay : int
        Sessions, or bars, by which the entry is later.
    stop : float, optional
        The loss of the share, as a decimal, at which a close ends the trade: it is left at the next price.
    size : {"equal", "inverse_sigma", "capped"}
        "equal" puts ``stake`` into each event. "inverse_sigma" puts ``stake`` times the mean standard deviation of the
        events entered so far over that of the event. "capped" is "equal" within ``cap``.
    stake : float
        Share of the capital.
    cap : float
        The most held of all shares together, as a share of the capital, for "capped".
    ticker_cap : float, optional
        The most held of one ticker, long or short; ``stake`` by default, so that a second event in the same direction
        adds nothing while the first is held.
    borrow_bps : float
        Cost of a year of a short position, of shares and benchmarks, in basis points of its value.
    sign : str or function, optional
        The direction, 1, -1, or 0 for no trade: a column of the events, or a function of the row of an event. The sign
        column of the study by default.
    currency : str, optional
        The currency of the capital; that of the study by default. Without one each share earns the return in its own
        currency, as if the currency was hedged.
    """

    entry: Entry = "next"
    hold: int = 5
    cost_bps: float = 10.0
    hedge: bool = True
    delay: int = 0
    stop: float | None = None
    size: Size = "equal"
    stake: float = 0.05
    cap: float = 1.0
    ticker_cap: float | None = None
    borrow_bps: float = 50.0
    sign: Signal | None = None
    currency: str | None = None

    def __post_init__(self) -> None:
        arguments.choice("entry", self.entry, ENTRIES)
        arguments.whole("hold", self.hold, 1, 10_000)
        arguments.whole("delay", self.delay, 0, 10_000)
        arguments.flag("hedge", self.hedge)
        arguments.choice("size", self.size, SIZES)
        for name in ("cost_bps", "borrow_bps"):
            _number(name, getattr(self, name), 0.0, 10_000.0, "basis points, 0 to 10,000")
        for name in ("stake", "cap", "ticker_cap"):
            if getattr(self, name) is not None or name != "ticker_cap":
                _number(name, getattr(self, name), 1e-9, 1_000.0, "a share of the capital above 0, such as 0.05")
        if self.stop is not None:
            _number("stop", self.stop, 1e-9, 1.0, "a loss as a decimal above 0, such as 0.05")
        if not (self.sign is None or isinstance(self.sign, str) or callable(self.sign)):
            raise InputError(f"sign is {shown(self.sign)}; give a column of the events, or a function of an event")

    @property
    def terms(self) -> Terms:
        """The rule as the core takes it."""
        return Terms(
            self.hold,
            np.inf if self.stop is None else self.stop,
            self.stake if self.ticker_cap is None else self.ticker_cap,
            self.cap if self.size == "capped" else np.inf,
            BASIS * self.cost_bps,
            BASIS * self.borrow_bps,
        )

    def changed(self, changes: object) -> Rule:
        """Return the rule with other choices; those of all rules of a walk-forward are the sizes and costs."""
        if not isinstance(changes, Mapping):
            raise InputError(f"a rule is {shown(changes)}; give the choices that differ, as in {{'hold': 10}}")
        arguments.check_options("a rule that is chosen", changes, CHOSEN)
        return replace(self, **changes)

    def named(self) -> dict[str, str]:
        """Return the choices that are not those by default, and the main ones, in words."""
        default = Rule()
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        kept = {k: v for k, v in values.items() if k in MAIN or v != getattr(default, k)}
        return {WORDS[name]: _said(name, value) for name, value in kept.items()}

    def __str__(self) -> str:
        """Return the choices in a line.

        Examples
        --------
        >>> str(Rule(hedge=False, stop=0.05))
        'entry at the next open or close, closes held 5, costs 10 basis points, hedge none, stop at a loss of 5 %'
        """
        return ", ".join(f"{name[:1].lower()}{name[1:]} {value}" for name, value in self.named().items())


def rule_of(entry: Entry, hold: int, cost_bps: float, hedge: bool, options: RuleOptions) -> Rule:
    """Return a rule; raise InputError for an option that it does not have."""
    arguments.check_options("a rule", options, RuleOptions.__annotations__)
    return Rule(entry, hold, cost_bps, hedge, **options)


MAIN = ("entry", "hold", "cost_bps", "hedge")
WORDS = {
    "entry": "Entry", "hold": "Closes held", "cost_bps": "Costs", "hedge": "Hedge", "delay": "Sessions of delay",
    "stop": "Stop", "size": "Size", "stake": "Stake", "cap": "Most of all shares", "ticker_cap": "Most of one ticker",
    "borrow_bps": "Borrowing", "sign": "Direction", "currency": "Currency",
}  # fmt: skip
VALUES: dict[str, dict[object, str]] = {
    "entry": {"next": "at the next open or close", "open": "at the next open", "close": "at the next close"},
    "hedge": {True: "by beta", False: "none"},
    "size": {
        "equal": "the same for each event", "inverse_sigma": "smaller for volatile shares",
        "capped": "the same for each event, within the cap",
    },
}  # fmt: skip
CHOSEN = ("entry", "hold", "delay", "stop", "hedge", "sign")


def _said(name: str, value: Any) -> str:
    """Return a choice in words."""
    if name in VALUES:
        return VALUES[name][value]
    if name in ("stake", "cap", "ticker_cap"):
        return f"{100 * value:g} % of the capital"
    if name in ("cost_bps", "borrow_bps"):
        return f"{value:g} basis points" + (" a year" if name == "borrow_bps" else "")
    return f"at a loss of {100 * value:g} %" if name == "stop" else formats.plain(getattr(value, "__name__", value))


def _number(name: str, value: object, least: float, most: float, what: str) -> None:
    if not arguments.is_number(value) or not least <= value <= most:
        raise InputError(f"{name} is {shown(value)}; give {what}")
