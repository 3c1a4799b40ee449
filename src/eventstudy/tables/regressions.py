"""Regressions: regressions of the CARs side by side, with stars and standard errors in brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.display.measure import Measure
from eventstudy.errors import InputError, shown
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._cells import BLANK, COUNT, NUMBER, Cell, Format, P, text
from eventstudy.tables._table import Column, Row, Table

if TYPE_CHECKING:
    from statsmodels.regression.linear_model import RegressionResultsWrapper

COVARIANCES = {"cr2": "CR2", "history": "History", "placebo": "Placebo", "cluster": "CR1", "nonrobust": "Plain"}
BRACKETS = {"se": "standard errors", "t": "t", "p": "p"}
BETWEEN = re.compile(r":(?![^\[]*\])(?![^(]*\))")  # the colon between two factors, not one of a label or a name
COEFFICIENT, SHARE = Format("number", 4), Format("number", 3)


def regressions(
    result: Result,
    *,
    of: Mapping[str, RegressionResultsWrapper] | None = None,
    formulas: Sequence[str] | None = None,
    window: _shared.Window | None = None,
    stars: bool = True,
    brackets: str = "se",
) -> Table:
    """Return several regressions of the CARs side by side, a column each.

    Parameters
    ----------
    result : Result
    of : mapping from head to results of ``Result.regress``, optional
        As in ``{"(1)": result.regress("car ~ size")}``.
    formulas : sequence of str, optional
        Instead of ``of``: formulas for ``Result.regress``, whose columns are numbered from (1).
    window : (int, int), optional
        The window of the formulas; the first of the study by default.
    stars : bool
        Whether coefficients have stars: three for p < 0.01, two for p < 0.05, one for p < 0.10, by the p of the
        regression.
    brackets : {"se", "t", "p"}
        What stands in brackets below a coefficient.

    Returns
    -------
    Table
        ``frame``: column, term, coefficient, se, t, p, n, r2, covariance. Coefficients are of CARs as decimals, not per
        cent: a CAR of 1 % is 0.01.

    Raises
    ------
    InputError
        If not exactly one of ``of`` and ``formulas`` is given, or one is not valid.
    """
    arguments.flag("stars", stars)
    arguments.choice("brackets", brackets, BRACKETS)
    fits = _fits(result, of, formulas, window)
    frame = pd.concat([_frame(head, fit) for head, fit in fits.items()], ignore_index=True)
    measure = result.measure
    dependent = dict.fromkeys(_dependent(str(fit.model.endog_names), measure) for fit in fits.values())
    at = "" if of is not None else f" {formats.window(*_window(result, window))}"
    title = f"Regressions of the {' and '.join(dependent)}{at} across events"
    terms = list(dict.fromkeys(frame["term"]))
    terms = [term for term in terms if term != "Intercept"] + ["Intercept"] * ("Intercept" in terms)
    rows = [row for term in terms for row in _of_term(term, frame, list(fits), (stars, brackets))]
    notes = [f"In brackets: {BRACKETS[brackets]}."] + ([f"Stars: {formats.STARS}."] if stars else [])
    return Table(
        frame,
        _shared.with_prices(title, result),
        (Column("", right=False), *(Column(formats.plain(head)) for head in fits)),
        (*rows, *_below(fits)),
        (*notes, *(["Coefficients are of returns as decimals."] if measure.percent else []), *_about(fits)),
        frozenset({len(rows)}),
        label="regressions",
    )


def _dependent(name: str, measure: Measure) -> str:
    """Return the printed name of what is explained; a formula names the sum of another series ``car`` too."""
    return measure.short if name == measure.column else name.upper()


def _fits(
    result: Result,
    of: Mapping[str, RegressionResultsWrapper] | None,
    formulas: Sequence[str] | None,
    window: _shared.Window | None,
) -> dict[str, RegressionResultsWrapper]:
    """Return the regressions by the heads of their columns."""
    if (of is None) == (formulas is None):
        raise InputError("give either of={'(1)': result.regress(...)} or formulas=['car ~ size']")
    if formulas is not None:
        if isinstance(formulas, str) or not isinstance(formulas, Sequence) or not formulas:
            raise InputError(f"formulas is {shown(formulas)}; give a list, as in ['car ~ size']")
        return {f"({at})": result.regress(formula, window) for at, formula in enumerate(formulas, start=1)}
    if not isinstance(of, Mapping) or not of or not all(hasattr(fit, "cov_type") for fit in of.values()):
        raise InputError(f"of is {shown(of)}; give results of regress by name, as in {{'(1)': result.regress(...)}}")
    return dict(of)


def _window(result: Result, window: _shared.Window | None) -> _shared.Window:
    return arguments.one_window(window, _shared.windows(result.cars))


def _frame(head: str, fit: RegressionResultsWrapper) -> pd.DataFrame:
    """Return the coefficients of one regression."""
    values = {"coefficient": fit.params, "se": fit.bse, "t": fit.tvalues, "p": fit.pvalues}
    frame = pd.DataFrame(values).rename_axis("term").reset_index()
    frame.insert(0, "column", head)
    return frame.assign(n=int(fit.nobs), r2=float(fit.rsquared), covariance=str(fit.cov_type))


def _of_term(term: str, frame: pd.DataFrame, heads: Sequence[str], shown: tuple[bool, str]) -> Iterator[Row]:
    """Yield the two rows of a term: its coefficients, and what stands in brackets."""
    starred, brackets = shown
    own = {row["column"]: row for row in frame[frame["term"] == term].to_dict("records")}
    above, below = [], []
    for head in heads:
        row = own.get(head)
        if row is None:
            above.append(BLANK)
            below.append(BLANK)
            continue
        above.append(Cell(row["coefficient"], COEFFICIENT, formats.stars(row["p"]) if starred else ""))
        form = {"se": COEFFICIENT, "t": NUMBER, "p": P}[brackets]
        below.append(Cell(row[brackets], form, brackets=True))
    yield (text(printed(term)), *above)
    yield (BLANK, *below)


def printed(term: str) -> str:
    """Return the printed name of a term.

    Examples
    --------
    >>> printed("Intercept"), printed("C(sector)[T.EV]"), printed("Q('market value')"), printed("log(size)")
    ('Constant', 'sector: EV', 'market value', 'log(size)')
    """
    if term == "Intercept":
        return "Constant"
    parts = [re.sub(r"""Q\((['"])(.*?)\1\)""", r"\2", part) for part in BETWEEN.split(term)]
    return " × ".join(re.sub(r"^C\((.*?)(?:, .*)?\)\[(?:T\.)?(.*)\]$", r"\1: \2", part) for part in parts)


def _below(fits: Mapping[str, RegressionResultsWrapper]) -> Iterator[Row]:
    yield (text("N"), *(Cell(fit.nobs, COUNT) for fit in fits.values()))
    yield (text("R²"), *(Cell(fit.rsquared, SHARE) for fit in fits.values()))
    yield (text("Standard errors"), *(text(COVARIANCES.get(fit.cov_type, fit.cov_type)) for fit in fits.values()))


def _about(fits: Mapping[str, RegressionResultsWrapper]) -> Iterator[str]:
    """Yield how the standard errors of the columns were computed."""
    heads: dict[str, list[str]] = {}
    for head, fit in fits.items():
        heads.setdefault(formats.plain(getattr(fit, "note", None)), []).append(formats.plain(head))
    for note, own in heads.items():
        if note != formats.MISSING:
            yield f"Standard errors of {', '.join(own)}: {note}."


TABLE = regressions
