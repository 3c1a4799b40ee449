"""A study: its choices, checked when it is created."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy import arguments
from eventstudy.bars import Prices
from eventstudy.core.checks import check_model
from eventstudy.errors import InputError, NotEnoughData
from eventstudy.files import write
from eventstudy.prepare.events import Events
from eventstudy.prepare.factors import factor_frame
from eventstudy.prepare.outcomes import is_return
from eventstudy.prepare.stated import check_stated
from eventstudy.result import Result
from eventstudy.run.choice_types import checked
from eventstudy.run.rerun import READERS, StudyRun
from eventstudy.run.sample import StudyData
from eventstudy.run.scale import workers
from eventstudy.run.settings import DEFAULT_TESTS as DEFAULT_TESTS
from eventstudy.run.settings import as_model, study_card, study_text, tests_for
from eventstudy.run.toml_text import MARK, toml_text
from eventstudy.types import Choices, Model, Survives, Test, Window

if TYPE_CHECKING:
    import pandas as pd
    from distributed import Client
    from narwhals.typing import IntoFrame

TABLE = "the table of prices, such as {'source': 'folder', 'path': 'prices'}"


@dataclass(frozen=True, repr=False)
class Study(Choices):
    """The choices of an event study.

    Parameters
    ----------
    model : str or Model
        The return model; a name takes its defaults, :func:`model` gives it options.
    benchmark : str, mapping or None
        One ticker; a mapping from ticker or exchange to a ticker; or the name of an events column.
    estimation, event : (int, int)
        Windows in sessions relative to the event session, both ends included; for intraday bars, in bars. At most
        20,000 and 5,000 of them.
    windows : sequence of (int, int)
        Different windows, inside the event window, over which abnormal returns are summed.
    tests : str, sequence or mapping
        "default" (tests that are valid under the clustering of the sample), "all" (all tests of the library), names or
        Test objects, or a mapping from labels to either. The label of a test is its name by default, with the options
        that differ from the defaults if two tests have one name.
    returns : {"simple", "log"}
        Simple returns, or the logarithms of 1 plus them.
    price : {"close", "open", "high", "low"}
        The price up to which the return of relative day 0 is measured; other returns are close to close.
    min_estimation : int
        Valid returns required in an estimation window.
    on_closed : {"next", "previous", "drop", "raise"}
        The session of an event known by its date only, if its exchange was closed on that date.
    seed : int
        Seed of all random draws.
    gaps : {"missing", "span"}
        After a session without a price: no return, or the return over the gap on the next session with a price.
    min_coverage : float
        Share of the days of a window that must be valid for a CAR; all days by default.
    group : str or None
        An events column; every test is also run for each of its values. An event without a value is in "all" only, and
        counted in ``Result.attrition``; one that is listed under two values (one of its rows is a duplicate) counts in
        both, and a note says so.
    weight : str or None
        An events column of positive numbers, for tests that weight events (calendar_time by value).
    sign : str or None
        An events column with the expected sign of the abnormal return: 1, -1, or 0 or empty where there is none. The
        abnormal returns of an event are multiplied by its sign in every average, test, band and figure of averages, in
        groups, ``compare`` and ``regress``, which are called signed. Events without a sign are in none of them, and
        counted in ``Result.attrition``. ``Result.ar`` and ``Result.cars`` are what happened, without signs.
    peers : sequence of str, mapping, str or None
        For models that compare with other securities: tickers, a mapping from ticker to tickers, or the name of an
        events column with tickers separated by ``;``. None takes every other security of the prices on the same
        calendar, except indices, FX, benchmarks, and securities of firms with an event, used or excluded, whose window
        overlaps that of the event.
    outcome : str
        "return"; "volatility", the excess of the variance ratio over 1; "volume", log turnover; or any field of the
        bars, unchanged (:func:`eventstudy.transform.attach`).
    accumulate : {"sum", "compound"}
        Whether a window sums abnormal returns (CAR) or compares compounded ones (BHAR).
    currency : str or None
        A currency such as "USD", to which prices are converted with the FX series among the prices, such as ``HKD=X``.
        An event on a session without a rate is excluded, and the return of the next session is missing;
        ``Result.reactions`` are not converted.
    contaminated : {"keep", "flag", "mask", "drop"}
        Treatment of estimation days in the event windows of other events of the same firm: used; used, and counted in
        the column ``n_contaminated``; not used in the estimation; or the event is excluded.
    confounding : (int, int) or None
        Sessions around an event in which another announcement of the same firm excludes the event.
    estimation_columns, event_columns : (str, str) or None
        Events columns with the first and last day of event-specific windows, inside those of the study.
    calendars : mapping or None
        Days on which exchanges were closed, or opened or closed at another time than their calendar says: by MIC, dates
        as text with the local closing time, or None for a closed day, as ``{"XBOM": {"2021-11-04": "19:15"}, "XKRX":
        {"2026-06-03": None}}``. Markets with the same sessions, such as XNYS and XNAS, share what is stated.
    suspended : {"keep", "next_trade"}
        The session of an event on whose session its ticker has no price: that session, on which nothing is measured;
        or its ticker's next session with a price, up to 60 sessions later. The return of day 0 is then that over the
        whole gap, of the security and of the benchmark and factors.
    contradictory : {"drop", "keep"}
        Treatment of a bar that contradicts itself, whose close or open lies outside its low and high: its prices are
        missing in the study, or they are used. A note names it if it lies in a window of a used event
        (:meth:`eventstudy.Prices.screen`).

    The column ``firm`` of the events, if present, identifies the tickers of one firm.

    Raises
    ------
    InputError
        If a choice is not valid; the message names it, its value and the valid values.

    Examples
    --------
    >>> Study(benchmark="^HSI", windows=((-1, 1),)).windows
    ((-1, 1),)
    """

    def __post_init__(self) -> None:
        for name, value in checked(self).items():
            object.__setattr__(self, name, value)
        _check_windows(self.estimation, self.event, self.windows)
        object.__setattr__(self, "calendars", check_stated(self.calendars))
        _check_outcome(self.outcome, self.accumulate, self.price, self.returns)
        length = self.estimation[1] - self.estimation[0] + 1
        if self.min_estimation > length:
            raise InputError(f"min_estimation is {self.min_estimation}; the estimation window has {length} days")
        check_model(self.return_model, self.model if isinstance(self.model, str) else "")
        self.tests_for("independent")

    def __repr__(self) -> str:
        return study_text(self)

    def _repr_html_(self) -> str:
        return study_card(self).as_html()

    @property
    def return_model(self) -> Model:
        """The return model; ``model`` may be its name."""
        return as_model(self.model)

    def tests_for(self, kind: Survives) -> dict[str, Test]:
        """Return the tests by name; ``kind`` is the dependence under which default tests are valid."""
        return tests_for(self, kind, 0, False)

    def to_toml(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        events: str = "events.csv",
        prices: dict[str, object] | None = None,
    ) -> str:
        """Return the text of a study file with these choices, and write it if a path is given.

        Parameters
        ----------
        path : str or Path, optional
            The file to write, such as ``study.toml``; an earlier one that this method wrote is replaced, and no other.
        events : str
            The file of the events, relative to the study file.
        prices : dict, optional
            The table ``[prices]``: ``source``, and the options of the source; ``{"source": "yahoo"}`` by default.

        Returns
        -------
        str
            TOML with the choices that differ from their defaults; ``eventstudy run`` reads it as the same study.

        Raises
        ------
        InputError
            If an argument is not valid, the path is taken by a file that this method did not write, or the model or a
            test is an object that no name stands for.
        OutputError
            If the file cannot be written.

        Examples
        --------
        >>> print(Study(benchmark="^HSI", windows=((0, 0), (-1, 1))).to_toml())
        # written by Study.to_toml
        [study]
        events = "events.csv"
        benchmark = "^HSI"
        windows = [[0, 0], [-1, 1]]
        <BLANKLINE>
        [prices]
        source = "yahoo"
        <BLANKLINE>
        """
        arguments.text("events", events, "the path of the events, as a text")
        table = arguments.instance("prices", {"source": "yahoo"} if prices is None else prices, dict, TABLE)
        text = toml_text(self, events, table)
        if path is not None:
            write("the study file", Path(arguments.path("path", path)), text.encode(), _wrote)
        return text

    def check(
        self,
        events: Events,
        prices: Prices,
        *,
        factors: IntoFrame | None = None,
        other_news: Events | None = None,
    ) -> pd.DataFrame:
        """Place every event and return the status that :meth:`run` would give it; nothing is tested.

        Parameters
        ----------
        events : Events
        prices : Prices
        factors : data frame of pandas, polars or pyarrow, optional
            Decimal factor returns, dates by names, as in :meth:`run`.
        other_news : Events, optional
            Events that are not studied, but may confound or contaminate those that are.

        Returns
        -------
        DataFrame
            Index ``event_id``; ticker, announced, session, placement, benchmark, n_estimation (as in
            ``Result.events``: 0 also where returns were not read), status, reason; and ``implausible_prices``, what is
            implausible in the prices of its windows, if anything is for any event.
        """
        return StudyRun(self, _data(events, prices, factors, other_news)).check()

    def run(
        self,
        events: Events,
        prices: Prices,
        *,
        factors: IntoFrame | None = None,
        other_news: Events | None = None,
        progress: bool = False,
        executor: Executor | Client | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> Result:
        """Estimate every event, and test the sample.

        Parameters
        ----------
        events : Events
        prices : Prices
        factors : data frame of pandas, polars or pyarrow, optional
            Decimal factor returns, dates by names, for a model with named columns. The dates are the index, or a column
            ``date``: datetimes, periods, ISO text or numbers as 20210913. The names of WRDS (mktrf, smb, hml, rmw, cma,
            rf, umd) are known; -99.99 and -999 are missing.
        other_news : Events, optional
            Events that are not studied, but may confound or contaminate those that are.
        progress : bool
            Whether to show a progress bar.
        executor : concurrent.futures.Executor or distributed.Client, optional
            The threads, processes or Dask cluster that run the parts of the study, of about 65,000 events each. The
            methods of the result use it too. None runs the parts one by one in this process.
        checkpoint : str or Path, optional
            A folder, or an fsspec URL, that all workers can access. Finished parts are stored there, and a run with the
            same data and choices reads them; ``provenance`` has the number of parts (``n_parts``) and of parts read
            (``n_resumed``).

        Returns
        -------
        Result

        Raises
        ------
        AlignmentError
            If the only benchmark has no prices, or a date has no session and ``on_closed`` is "raise".
        InputError
            If an argument is not valid, a column of the events has the name of a coefficient, or a model or test cannot
            be sent to another process.
        NotEnoughData
            If there are no events.
        ScaleError
            If workers, the cluster or the checkpoint fail; no partial result is returned.

        Warns
        -----
        EventStudyWarning
            If the benchmark closes in another time zone and the model has no lead of it; if events with a time of day
            are placed by their date, because the prices name no exchange; if prices in the windows of used events are
            implausible (:meth:`eventstudy.Prices.screen`); or if averages of returns pool events of both expected
            signs, which a column such as ``expected_sign`` states, and ``sign`` is None.
        """
        data = _data(events, prices, factors, other_news)
        arguments.flag("progress", progress)
        if not len(events):
            raise NotEnoughData("there are no events; give at least one")
        return StudyRun(self, data, workers(executor, checkpoint)).run(progress, keep=True)


def _wrote(path: Path) -> bool:
    """Return whether ``to_toml`` has written a file."""
    return path.read_bytes().startswith(MARK.encode())


def _data(events: object, prices: object, factors: object, other_news: object) -> StudyData:
    """Return the data of a study; raise InputError for an argument of another type."""
    if isinstance(events, Prices) and isinstance(prices, Events):
        raise InputError("events and prices are swapped; give the events first")
    checked_events = arguments.instance("events", events, Events, READERS["events"])
    checked_prices = arguments.instance("prices", prices, Prices, READERS["prices"])
    frame = None if factors is None else factor_frame(factors)
    if other_news is not None:
        arguments.instance("other_news", other_news, Events, READERS["other_news"])
    return StudyData(checked_events, checked_prices, frame, other_news)  # type: ignore[arg-type]


def _check_outcome(outcome: str, accumulate: str, price: str, returns: str) -> None:
    if outcome != "return" and accumulate == "compound":
        raise InputError(f"accumulate is 'compound', and outcome is {outcome!r}; only returns compound")
    if returns == "log" and accumulate == "compound":
        raise InputError("accumulate is 'compound', and returns are 'log'; simple returns compound, log returns add")
    if not is_return(outcome) and price != "close":
        raise InputError(f"price is {price!r}, and outcome is {outcome!r}; use 'close': it has one value a day")


def _check_windows(estimation: Window, event: Window, windows: Sequence[Window]) -> None:
    if estimation[1] >= event[0]:
        raise InputError(
            f"estimation {estimation} does not end before event {event}; move or shorten the estimation window"
        )
    outside = [w for w in windows if w[0] < event[0] or w[1] > event[1]]
    if outside:
        raise InputError(f"window {outside[0]} is not inside event {event}; widen event or narrow the window")
