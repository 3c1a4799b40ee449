"""The printed names of tests, models, analyses and statuses, as journals print them."""

from __future__ import annotations

import re

from eventstudy.display import formats

TESTS = {
    "adjusted_patell": "Adjusted Patell",
    "bmp": "BMP",
    "brown_warner": "Brown-Warner",
    "calendar_time": "Calendar-time portfolio",
    "clustered": "Clustered",
    "corrado": "Corrado rank",
    "corrado_zivney": "Corrado-Zivney rank",
    "cross_section": "Cross-sectional t",
    "generalized_sign": "Generalised sign",
    "grank_t": "GRANK-T",
    "grank_z": "GRANK-Z",
    "ibragimov_muller": "Ibragimov-Müller",
    "j1": "J1",
    "j2": "J2",
    "kolari_pynnonen": "Kolari-Pynnönen",
    "mvrm": "Multivariate regression",
    "patell": "Patell",
    "placebo": "Placebo",
    "sign": "Sign",
    "sign_gsar": "SIGN-GSAR",
    "skewness_adjusted": "Skewness-adjusted t",
    "two_way": "Two-way clustered",
    "wilcoxon": "Wilcoxon",
    "wild_bootstrap": "Wild bootstrap",
}
MODELS = {
    "capm": "CAPM",
    "carhart": "Carhart four-factor",
    "clock": "Clock time",
    "dimson": "Dimson",
    "elastic_net": "Elastic net",
    "ewma": "EWMA market model",
    "factors": "Factor model",
    "ff3": "Fama-French three-factor",
    "ff5": "Fama-French five-factor",
    "ff6": "Fama-French six-factor",
    "fowler_rorke": "Fowler-Rorke",
    "garch": "GARCH market model",
    "market": "Market model",
    "market_adjusted": "Market-adjusted return",
    "mean": "Constant mean",
    "pca": "Principal components",
    "peers": "Peers",
    "robust": "Robust market model",
    "rolling": "Rolling market model",
    "scholes_williams": "Scholes-Williams",
    "synthetic_control": "Synthetic control",
    "trade_to_trade": "Trade-to-trade",
}
ANALYSES = {
    "dates": "Possible dates of the events",
    "market_wide": "News of a whole market",
    "money": "Abnormal value",
    "moves": "Largest abnormal days",
    "multiverse": "All combinations of choices",
    "pairs": "Two listings of one firm",
    "sequential": "The mean as events arrived",
    "single": "One event",
    "spillover": "Peers of the treated",
    "trades": "Trading the announcements",
}
STATUSES = {
    "ok": "used",
    "unknown_ticker": "ticker without prices",
    "no_price": "no price in the event's session",
    "outside_calendar": "outside the exchange's calendar or the prices",
    "closed": "exchange closed",
    "no_benchmark": "no return of the benchmark",
    "too_few_estimation": "too few returns in the estimation window",
    "empty_event_window": "no return in the event window",
    "singular": "regressors that do not vary in the estimation window",
    "duplicate": "same ticker and session as an earlier event",
    "no_variation": "residuals that do not vary",
    "no_factors": "no factor returns",
    "no_fx": "no exchange rate",
    "no_peers": "too few peers with returns",
    "not_converged": "estimation did not converge",
    "contaminated": "other news in the estimation window",
    "confounded": "other news in the event window",
    "suspended": "trading suspended",
}

# Of a test: the dependence among events under which it keeps its size, and what may be wrong with a sample.
DEPENDENCE = {
    "independent": "for events whose windows share no day",
    "same_day": "for events whose windows share no day, and for events that all share one date",
    "overlap": "for events whose windows overlap in any way",
}
FAILINGS = {
    "contaminated_estimation": "other reactions in the estimation window",
    "event_variance": "event-induced variance",
    "common_variance": "news that raises the variance of what the events of a date share",
    "non_normality": "returns that are not normal",
    "autocorrelation": "autocorrelation",
    "thin_trading": "thin trading",
    "few_dates": "few dates",
    "long_window": "windows longer than a quarter of the estimation window",
}


def ends(level: float = 0.95) -> tuple[str, str]:
    """Return the heads of the columns of an interval, as statsmodels prints them.

    Examples
    --------
    >>> ends(), ends(0.9)
    (('[0.025', '0.975]'), ('[0.05', '0.95]'))
    """
    return f"[{(1 - level) / 2:.6g}", f"{(1 + level) / 2:.6g}]"


def of_test(label: object) -> str:
    """Return the printed name of a test from its label, with its options; that of a plug-in is its name in words.

    Examples
    --------
    >>> of_test("kolari_pynnonen"), of_test("placebo(draws=499)"), of_test("my_own")
    ('Kolari-Pynnönen', 'Placebo (draws=499)', 'my own')
    """
    return _printed(label, TESTS)


def of_model(label: object) -> str:
    """Return the printed name of a model from its label, with its options.

    Examples
    --------
    >>> of_model("ff3"), of_model("dimson(leads=0)")
    ('Fama-French three-factor', 'Dimson (leads=0)')
    """
    return _printed(label, MODELS)


def of_analysis(kind: object) -> str:
    """Return the heading of an analysis from the kind of its table; that of a plug-in is its name in words.

    Examples
    --------
    >>> of_analysis("dates"), of_analysis("my_own")
    ('Possible dates of the events', 'My own')
    """
    name = _printed(kind, ANALYSES)
    return name[:1].upper() + name[1:]


def of_status(label: object) -> str:
    """Return a status of an event in words; text that is no status, as a remark of the attrition, is unchanged.

    Examples
    --------
    >>> of_status("no_benchmark"), of_status("ok, but without a sign")
    ('no return of the benchmark', 'ok, but without a sign')
    """
    text = formats.plain(label)
    return STATUSES.get(text, text)


def _printed(label: object, names: dict[str, str]) -> str:
    text = formats.plain(label)
    match = re.fullmatch(r"([A-Za-z]\w*)(?:\((.*)\))?", text)
    if match is None:
        return text
    name, options = match.groups()
    return names.get(name, name.replace("_", " ")) + (f" ({options})" if options else "")
