"""Four checks of the assumptions of the tests: normality, autocorrelation, common days, and variance of the event."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from scipy import special

from eventstudy.analysis.diagnosis import Residuals, run_again
from eventstudy.analysis.past import Past
from eventstudy.display import formats
from eventstudy.errors import NotEnoughData
from eventstudy.plots import _style, _text
from eventstudy.result import Result

TITLE = "Checks of the assumptions"
POINTS = 400  # quantiles drawn, of any number of residuals
MOST_CLUSTERS = 60


def diagnostics(result: Result, *, title: str | None = None, figsize: tuple[float, float] | None = None) -> np.ndarray:
    """Draw what the tests assume about the sample, in four panels; ``Result.diagnose`` has them as numbers.

    Parameters
    ----------
    result : Result
        With its study, which is run again.
    title : str, optional
        In place of "Checks of the assumptions".
    figsize : (float, float), optional
        Width and height of the figure in inches.

    Returns
    -------
    array of Axes (4,)
        Quantiles of the residuals of the estimation windows, each divided by the standard deviation of its event, and
        of the standardised CARs of the first window, against those of the normal (the line). The correlation of each
        event's residuals from one day to the next, with plus and minus 2 / sqrt(days). The number of events in each
        cluster of overlapping event windows, the largest first. The variance of the standardised CARs across events
        (dashed), and that of the sums of as many days before them. One blank panel if no event was used, or the result
        has no study.

    Examples
    --------
    >>> from eventstudy import demo
    >>> [ax.get_xlabel() for ax in demo.run().result.plot("diagnostics")]  # doctest: +NORMALIZE_WHITESPACE
    ['Quantile of the normal', 'Correlation of a day with the next', 'Clusters, the largest first',
     'Variance across events']
    """
    name = _style.named(title, TITLE)
    residuals = None if result.rerun is None else run_again(result.rerun)
    if residuals is None or not len(residuals.rows):
        reason = "the result has no study to run again" if residuals is None else "no event could be used"
        with _style.drawing((7.2, 2.4), figsize) as ax:
            return np.array([_style.blank(ax, name, reason, result)])
    with _style.context():
        width, height = _style.size(figsize, (7.2, 5.6))
        figure = _style.PngFigure(figsize=(width, height))
        columns = 1 if width < 4.5 and height > 6.0 else 2
        axes = np.asarray(figure.subplots(4 // columns, columns)).ravel()
        _quantiles(axes[0], result, residuals)
        _autocorrelation(axes[1], residuals)
        _clusters(axes[2], result, residuals)
        _variance(axes[3], residuals)
        for ax in axes:
            ax.tick_params(labelsize=8)
        n_lines = _style.heading(figure, name, result)
        top = 1.0 - (0.14 + 0.185 * n_lines) / height
        figure.set_layout_engine("constrained", rect=(0, 0, 1, top))
        _style.lay_out(figure)  # matplotlib makes ticks when it first places axes: here, with the style set
    return axes


def _panel(ax: Axes, title: str, across: str, up: str) -> None:
    """Write the title, which is a finding, and the labels of a panel."""
    lines = _text.wrapped(title, 72.0 * _style.width(ax), 8.5)
    text = ax.set_title("\n".join(lines), loc="left", fontsize=8.5, color=_style.INK, pad=5)
    _style.verbatim([text])
    ax.set_xlabel(across, fontsize=8.5)
    ax.set_ylabel(up, fontsize=8.5)


def _quantiles(ax: Axes, result: Result, residuals: Residuals) -> None:
    """Draw quantiles of the residuals of single days and of the standardised CARs against those of the normal."""
    events = formats.usable_events(result)
    try:
        past = Past(result.rerun, events, residuals.window, 0)
        values = (past.days / events["sigma"].to_numpy(dtype=np.float64)[:, None]).ravel()
    except NotEnoughData:
        values = np.empty(0)
    scar = residuals.leaf["scar"]
    series = (("residuals", values, _style.GREY, "o", 7.0), ("CARs", scar, _style.BLUE, "^", 13.0))
    limit = 1.0
    for label, sample, colour, marker, area in series:
        x, y = normal_quantiles(sample)
        if len(x):
            ax.scatter(x, y, s=area, marker=marker, color=colour, linewidth=0, label=label, zorder=3)
            limit = max(limit, float(np.abs(x).max()))
    ax.plot([-limit, limit], [-limit, limit], color=_style.RED, linewidth=1.0, zorder=2)
    ax.legend(loc="upper left", fontsize=8, handletextpad=0.2, borderpad=0)
    share = (residuals.leaf["jarque_bera"] > -2.0 * np.log(0.05)).mean()
    _panel(ax, f"Normality: {share:.0%} of events reject it", "Quantile of the normal", "Quantile of the sample")


def normal_quantiles(sample: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the normal quantiles and the sorted values of a sample, at most 400 of them, evenly spread in x.

    Examples
    --------
    >>> x, y = normal_quantiles(np.array([3.0, np.nan, -1.0, 1.0]))
    >>> x.round(3).tolist(), y.tolist()
    ([-0.967, 0.0, 0.967], [-1.0, 1.0, 3.0])
    """
    values = np.sort(sample[np.isfinite(sample)])
    if not len(values):
        return values, values
    x = special.ndtri((np.arange(len(values)) + 0.5) / len(values))
    if len(values) > POINTS:
        rows = np.unique(np.searchsorted(x, np.linspace(x[0], x[-1], POINTS)))
        return x[rows], values[rows]
    return x, values


def _histogram(ax: Axes, values: np.ndarray) -> None:
    n_bins = min(24, max(5, int(2 * len(values) ** 0.5)))
    ax.hist(values, bins=n_bins, color=_style.BLUE, alpha=0.5, edgecolor="white", linewidth=0.4)


def _autocorrelation(ax: Axes, residuals: Residuals) -> None:
    known = np.isfinite(residuals.leaf["rho"])
    rho, n = residuals.leaf["rho"][known], residuals.leaf["n"][known]
    title = "Autocorrelation: cannot be computed"
    if len(rho):
        bound = 2.0 / np.sqrt(np.median(n))
        _histogram(ax, rho)
        for edge in (-bound, bound):
            ax.axvline(edge, color=_style.RED, linewidth=1.1, linestyle=(0, (5, 3)))
        beyond = (np.abs(rho) > 2.0 / np.sqrt(n)).mean()
        title = f"Autocorrelation: {beyond:.0%} of events beyond 2/√{residuals.unit}s"
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    _panel(ax, title, f"Correlation of a {residuals.unit} with the next", "Events")


def _clusters(ax: Axes, result: Result, residuals: Residuals) -> None:
    """Draw the number of events in each chain of overlapping event windows."""
    days = result.ar.columns
    chain = Past(result.rerun, formats.usable_events(result), (int(days[0]), int(days[-1])), 0).chain
    sizes = np.sort(np.unique(chain, return_counts=True)[1])[::-1]
    shown = sizes[:MOST_CLUSTERS]
    ax.bar(np.arange(1, len(shown) + 1), shown, width=0.8, color=_style.BLUE, alpha=0.7, linewidth=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    in_clusters = f"{formats.plural(int(sizes.sum()), 'event')} in {formats.plural(len(sizes), 'cluster')}"
    title = f"Common {residuals.unit}s: {in_clusters}"
    _panel(ax, title, "Clusters, the largest first", "Events in the cluster")


def _variance(ax: Axes, residuals: Residuals) -> None:
    """Draw the variance across events on the event days beside those of as many days before."""
    scar = residuals.leaf["scar"][np.isfinite(residuals.leaf["scar"])]
    before = residuals.before
    title = "Variance of the event: needs 2 events"
    if len(scar) > 1 and len(before):
        variance = float(scar.var(ddof=1))
        p = (1 + int((before >= variance).sum())) / (1 + len(before))
        _histogram(ax, before)
        ax.axvline(variance, color=_style.RED, linewidth=1.4, linestyle=(0, (5, 3)))
        title = f"Variance of the event: {variance:.2f}, usual {np.median(before):.2f} (p {formats.p_value(p)})"
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    _panel(ax, title, "Variance across events", f"Runs of {residuals.unit}s before")


def alt(result: Result) -> str:
    """Describe the four findings."""
    if result.rerun is None:
        return "Empty chart of the checks of the assumptions: the result has no study to run again"
    axes = diagnostics(result)
    titles = [" ".join(ax.get_title(loc="left").split("\n")) for ax in axes if len(axes) > 1]
    if not titles:
        return "Empty chart of the checks of the assumptions: no event could be used"
    return "Four charts that check the assumptions of the tests. " + "; ".join(titles)


PLOT = diagnostics
