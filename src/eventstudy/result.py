"""The result of a study: its data frames; the analyses based on them are those of :mod:`eventstudy.analyses`."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy import _registry, arguments
from eventstudy.analyses import Analyses
from eventstudy.display import formats
from eventstudy.display.measure import Measure, measure_of
from eventstudy.types import Model, ModelName, PlotKind, Rerun, TableKind, Window, required

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from narwhals.typing import IntoFrame

    from eventstudy.analysis.specifications import Specifications
    from eventstudy.bars import Prices
    from eventstudy.prepare.events import Events
    from eventstudy.reproduce.references import Citation
    from eventstudy.tables._table import Table


NO_GROUP = pd.DataFrame(columns=["group", "day", "n", "aar", "caar", "se", "lower", "upper"]).astype(
    {"day": np.int64, "n": np.int64, **dict.fromkeys(("aar", "caar", "se", "lower", "upper"), np.float64)}
)


@dataclass(frozen=True, repr=False, eq=False)
class Result(Analyses):
    """The results of a study by event and over the sample, and the excluded events.

    Attributes
    ----------
    events : DataFrame
        Index ``event_id``; ticker, announced, session, placement (the rule that assigned the session), status, reason,
        n_estimation (valid returns in the estimation window; 0 is a count only of ``too_few_estimation``, and stands
        for other events that were excluded before their returns were read), n_contaminated (if the study counts
        them), implausible_prices (what Prices.screen finds in its windows, if anything), alpha, one column for each
        coefficient, sigma, r2, then the other columns of the input.
    ar : DataFrame
        Index ``event_id``, columns relative days; abnormal returns as decimals, or abnormal values of another outcome,
        NaN where missing. The rows are the estimated events, and duplicates with the values of the event that they
        duplicate.
    cars : DataFrame
        event_id, start, end, car, se, t, df, p, p_sq, p_conformal, n_days; one row for each event of ``ar`` and window.
        car is the sum of ``ar``, whatever the outcome; t = CAR / se with the forecast error, t(M - k). p_sq and
        p_conformal do not assume normality: the first, of the SQ test, is for windows of up to three days, the second
        for longer ones, and NaN if the model is not least squares. If the study compounds, bhar follows car (se, t and
        the p-values are still those of car). If the model has placebos, p_placebo follows p_conformal: the rank of the
        CAR among theirs.
    daily : DataFrame
        Index ``day``; n, aar, caar, se, lower, upper: the 95 % band around the CAAR, which is the mean BHAR since the
        first day if the study compounds.
    tests : DataFrame
        group, start, end, test, n, effect (the mean CAR, or BHAR), se, lower, upper (its 95 % interval, which allows
        for events that share days), median, positive (the share of positive effects), statistic, df, p, valid (whether
        the test holds for the sample), note. In each window the first row is the primary test: the first one that
        holds, in the order of the study's tests.
    reactions : DataFrame
        Index ``event_id``; ticker, session, and the raw (not abnormal) returns of that session from the previous close
        to its ``open``, ``high``, ``low`` and ``close``, as a news report quotes them; then the ``benchmark`` and its
        returns, as ``benchmark_open`` and so on.
    attrition : DataFrame
        reason, n: the events of the input by status; then, for each window in which used events have no CAR, their
        number, and the number of used events without a group or, in a study with signs, without a sign.
    provenance : dict
        Versions, settings, fingerprints of the data, and notes: a record, not used in computations.
    effects : DataFrame
        start, end, n, effect (the mean CAR, or BHAR), se, df, lower, upper: those of ``tests``.
    measure : Measure
        What the study measures, CAR or BHAR or another, with its names and the format of its values; ``measure.sign``
        is the column of expected signs by which ``daily``, ``tests``, ``effects`` and ``by_group`` are multiplied.
    rerun : Rerun or None
        The study with its data, to run it again for analyses.
    by_group : DataFrame
        group, day, n, aar, caar, se, lower, upper: ``daily`` of each group; empty in a study without groups.
    """

    events: pd.DataFrame
    ar: pd.DataFrame
    cars: pd.DataFrame
    daily: pd.DataFrame
    tests: pd.DataFrame
    reactions: pd.DataFrame
    attrition: pd.DataFrame
    provenance: dict[str, Any]
    effects: pd.DataFrame = field(default_factory=pd.DataFrame)
    measure: Measure = field(default_factory=measure_of)
    rerun: Rerun | None = None
    by_group: pd.DataFrame = field(default_factory=NO_GROUP.copy)

    def __getstate__(self) -> dict[str, object]:
        """Exclude the executor from pickles and copies."""
        return {**self.__dict__, "rerun": copy.copy(self.rerun)}

    def __repr__(self) -> str:
        from eventstudy.analysis.summary import short_text

        return short_text(self)

    def _repr_html_(self) -> str:
        return self.summary().as_html()

    @overload
    def plot(self, kind: Literal["events", "diagnostics", "groups"], **options: Any) -> NDArray[np.object_]: ...

    @overload
    def plot(self, kind: PlotKind | str = "caar", **options: Any) -> Axes: ...

    def plot(self, kind: PlotKind | str = "caar", **options: Any) -> Axes | NDArray[np.object_]:
        """Draw a figure of ``plots/`` and return its axes, without showing it.

        Parameters
        ----------
        kind : str
            "aar", "ar", "caar", "diagnostics", "distribution", "events", "forest", "groups", "heatmap", "path",
            "timeline", or a figure of a plug-in.
        **options
            Those of the figure; all have ``title`` and ``figsize`` (inches), those of one axes also ``ax``, and those
            with a band or intervals ``level``.

        Returns
        -------
        Axes, or array of Axes
            An array for "events", "groups" and "diagnostics".

        Raises
        ------
        InputError
            If there is no such figure, or an option is not one of the figure or not valid.

        Examples
        --------
        >>> from eventstudy import demo
        >>> ax = demo.run().result.plot("aar", level=0.9, title="Day by day", figsize=(3.5, 2.6))
        >>> ax.get_title(loc="left")
        'Day by day'
        """
        draw = _registry.load("plots", kind)
        arguments.check_figure_options(f"the figure {kind!r}", options, draw)
        axes: Axes | NDArray[np.object_] = draw(self, **options)
        return axes

    def table(self, kind: TableKind | str, *, title: str | None = None, **options: Any) -> Table:
        """Return a table as a paper prints it, to be written as LaTeX, HTML, Markdown, Excel or Word.

        Parameters
        ----------
        kind : str
            A member of ``tables/``, or of a plug-in: "attrition", "sample", "aar", "caar", "events", "groups",
            "regressions", "models", and of the analyses "dates", "market_wide", "money", "moves", "multiverse",
            "pairs", "sequential", "single", "spillover", "trades".
        title : str, optional
            The caption, instead of that of the kind.
        **options
            Those of the kind, on its page: ``stars`` of most, ``brackets`` of "caar" and others, ``of`` of
            "regressions", "models" and the analyses.

        Returns
        -------
        Table
            ``frame`` has the numbers with all their digits; ``to_latex()``, ``to_html()``, ``to_markdown()``,
            ``to_excel(path)`` and ``to_word(path)`` write the table.

        Raises
        ------
        InputError
            If the kind or an option is not valid.

        Examples
        --------
        >>> from eventstudy import demo
        >>> demo.run().result.table("attrition").frame["n"].tolist()
        [417, 1, 23, 393, 60]
        """
        draw = _registry.load("tables", kind)
        arguments.check_figure_options(f"the table {kind!r}", options, draw)
        table: Table = draw(self, **options)
        if title is None:
            return table
        note = formats.prices_note(self)
        return replace(table, title=formats.plain(arguments.text("title", title)) + (f" ({note})" if note else ""))

    def report(self, path: str | Path, **options: Any) -> Path:
        """Write a report; the suffix of ``path`` sets the format.

        Suffixes are ``.txt .md .csv .xlsx .docx .html .pdf .tex .parquet``.

        The report is written aside and then moved into place, whole or not at all. It replaces an earlier report of the
        same kind, and no other file.

        Parameters
        ----------
        path : str or Path
        **options
            For ``.html`` and ``.pdf``: ``title`` and ``question``, texts at the head of the page; for ``.html`` also
            ``interactive=True``, which adds an explorer of the events. An installed browser prints the PDF. For all but
            ``.txt``, ``.csv`` and ``.parquet``: ``analyses``, a list of what methods such as :meth:`dates` have
            returned, each of which has a section or a table.

        Raises
        ------
        InputError
            If the suffix, the path or an option is not valid, or a name is taken by a file that no report wrote; with
            ``.csv`` and ``.parquet`` also the names of the files beside.
        OutputError
            If the report cannot be written, for instance because the disk is full.
        """
        written: Path = _registry.helper("reports", "_write").write(self, path, options)
        return written

    def save(self, path: str | Path) -> Path:
        """Write the result to one file, from which :func:`eventstudy.read_result` reads it again.

        The file is a zip of the frames as Parquet, and of measure and provenance as JSON, the same bytes for the same
        result. Every number, date and type is kept; ``rerun`` is not, so that what runs the study again (``calibrate``,
        ``across``, ``diagnose``, ``band``, ``path`` with its band) needs the result of ``Study.run``.

        Parameters
        ----------
        path : str or Path
            The file, under any name; an earlier saved result is replaced, and no other file.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InputError
            If the path is not valid or taken by another file, or a column of the events holds objects that no file can
            keep.
        OutputError
            If the file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> from eventstudy import demo, read_result
        >>> result = demo.run().result
        >>> file = result.save(tempfile.mkdtemp() + "/study.result")
        >>> read_result(file).cars.equals(result.cars)
        True
        """
        saved: Path = _registry.helper("reports", "_saved").write(self, path)
        return saved

    def across(
        self,
        models: Sequence[ModelName | str | Model] | Mapping[str, ModelName | str | Model],
        windows: Sequence[Window] | None = None,
    ) -> Specifications[Result]:
        """Run the same study with several models, to see how far its results depend on the model.

        Parameters
        ----------
        models : sequence, or mapping from label to model
            Names or model objects; a mapping labels models with the same name.
        windows : sequence of (int, int), optional
            Other windows, inside the event window of the study.

        Returns
        -------
        Specifications
            ``events`` (the results by event and model), ``cars``, ``tests``, ``summary()``, ``dependence()`` and
            ``plot()``. If a model cannot estimate an event, its status says why; a model that cannot be run (a library,
            a regressor or the benchmark is missing) is listed with n = 0 and its error.

        Warns
        -----
        EventStudyWarning
            The models that could not be run, and the reason.

        Examples
        --------
        >>> from eventstudy import demo
        >>> specifications = demo.run().result.across(["market", "market_adjusted", "dimson"], windows=[(0, 0)])
        >>> specifications.summary()["n"].tolist()
        [333, 333, 333]
        """
        from eventstudy.analysis.across import across

        return cast("Specifications[Result]", across(required(self.rerun), self, models, windows))

    def extend(
        self,
        events: Events | None = None,
        prices: Prices | None = None,
        *,
        factors: IntoFrame | None = None,
        other_news: Events | None = None,
        progress: bool = False,
    ) -> Result:
        """Return the result of the study with further events or newer data: what :meth:`Study.run` would return.

        The results of earlier events are reused where their model and tests would read the same numbers, bit for bit:
        returns and regressors of their windows, weights and signs. The others are computed anew, as are the tests'
        verdicts. To look after each extension, use the p-value of :meth:`sequential`, which holds at every look.

        Parameters
        ----------
        events : Events, optional
            The new events alone, which follow those of the study.
        prices : Prices, optional
            All prices, with newer rows or further tickers; by default those of the study.
        factors : data frame of pandas, polars or pyarrow, optional
            All factor returns, as in :meth:`Study.run`; by default those of the study.
        other_news : Events, optional
            All events that are not studied, but may confound those that are; by default those of the study.
        progress : bool
            Whether to show a progress bar.

        Returns
        -------
        Result
            Its numbers agree with those of a new run to 1e-12, and it can be extended too.
            ``provenance["extended"]`` has the number and the SHA-256 of the ``events`` before; of the placed events
            ``n_new``; ``n_changed``, whose numbers are others than before (``changed`` names up to five);
            ``n_dropped``, which are duplicates now, or excluded; ``n_reused``; ``n_computed``; ``why``, the reasons for
            which more than the new events were computed; and ``groups``, the same counts of the events in groups.

        Raises
        ------
        InputError
            If nothing is given, an argument is not valid, an event has the id of an earlier one, or the result has no
            study (:func:`read_result`).

        Examples
        --------
        >>> from eventstudy import Events, demo
        >>> result = demo.run().result
        >>> new = Events.from_frame(
        ...     pd.DataFrame({"event_id": ["NEW"], "ticker": ["BABA"], "announced": ["2024-06-11 20:00+08:00"]})
        ... )
        >>> longer = result.extend(new)
        >>> {name: longer.provenance["extended"][name] for name in ("n_new", "n_reused", "n_computed")}
        {'n_new': 1, 'n_reused': 393, 'n_computed': 1}
        """
        rerun = required(self.rerun)
        return cast("Result", rerun.extended(events, prices, factors=factors, other_news=other_news, progress=progress))

    def cite(self) -> Citation:
        """Return the references of what computed the result: the model, the tests, the frames, and the library.

        The frames have ``p_sq``, ``p_conformal``, and the standard errors by clusters of events.

        Returns
        -------
        Citation
            ``text``, one line for each reference, ``bibtex``, the content of a .bib file, and ``entries``.

        Examples
        --------
        >>> from eventstudy import demo
        >>> print(demo.run().result.cite().text.splitlines()[-1])
        MacKinlay, A. C. (1997). Event Studies in Economics and Finance. Journal of Economic Literature 35(1), 13–39.
        """
        from eventstudy.reproduce.references import Citation, used

        return Citation(tuple(used(self)))

    def to_latex(self) -> str:
        """Return the table of the mean effects and their tests as LaTeX: ``table("caar").to_latex()``."""
        return self.table("caar").to_latex()


def read_result(path: str | Path) -> Result:
    """Read a result that :meth:`eventstudy.Result.save` has written.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Result
        With the frames, the measure and the provenance as they were; ``rerun`` is None, so that methods that run the
        study again raise InputError.

    Raises
    ------
    InputError
        If the file cannot be read, is not a saved result, is damaged, or was written by a later version.
    """
    result: Result = _registry.helper("reports", "_saved").read(path)
    return result
