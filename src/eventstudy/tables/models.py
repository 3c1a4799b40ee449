"""Models: the mean effect of every window under several models, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from eventstudy import arguments
from eventstudy.display import formats, names
from eventstudy.errors import InputError
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._cells import Cell, text
from eventstudy.tables._shared import BRACKETS
from eventstudy.tables._table import Row, Table
from eventstudy.types import Model

if TYPE_CHECKING:
    from eventstudy.analysis.specifications import Specifications

COLUMNS = ["model", "start", "end", "n", "effect", "se", "lower", "upper", "test", "p", "valid"]


def models(
    result: Result,
    *,
    of: Specifications[Result] | Sequence[str | Model] | Mapping[str, str | Model] | None = None,
    stars: bool = True,
    brackets: str = "se",
) -> Table:
    """Return the mean CAR of each window under each of several models.

    Parameters
    ----------
    result : Result
    of : Specifications, or models
        What ``Result.across`` has returned, or the models for it: names or objects, or a mapping from label to model.
        It is required.
    stars : bool
        Whether means have stars: three for p < 0.01, two for p < 0.05, one for p < 0.10, by the primary test under the
        model. A test that does not hold for the sample has a dagger instead.
    brackets : {"se", "t", "p"}
        What stands in brackets below the mean: its standard error, the mean over it, or the p of the primary test.

    Returns
    -------
    Table
        ``frame``: model, start, end, n, effect, se, lower, upper, test, p, valid; means are decimals. A model that
        could not be run is a row without numbers, and a note has the reason.

    Raises
    ------
    InputError
        If a model or an option is not valid.
    """
    arguments.flag("stars", stars)
    arguments.choice("brackets", brackets, BRACKETS)
    specifications = _specifications(result, of)
    tests = specifications.tests[specifications.tests["group"] == "all"]
    primary = tests.drop_duplicates(["model", "start", "end"])
    spans = _shared.windows(tests)
    rows: list[Row] = []
    for label in specifications.models.index:
        own = primary[primary["model"] == label]
        printed = names.of_model(label)
        lost = (text(printed), *[Cell(None)] * (2 * len(spans)))
        rows += _shared.effect_rows(printed, own, spans, result.measure, (stars, brackets)) if len(own) else [lost]
    at = [
        f"{names.of_model(label)} {window}"
        for label, window in zip(primary["model"], _shared.places(primary), strict=True)
    ]
    return Table(
        primary[COLUMNS].reset_index(drop=True),
        _shared.with_prices(f"{_shared.capital(f'mean {result.measure.averaged_full}')} under several models", result),
        _shared.effect_columns("Model", spans, result.measure),
        tuple(rows),
        (
            f"In brackets: {BRACKETS[brackets]}.",
            *_shared.about_stars(primary, at, stars),
            *_shared.other_sign(primary, at),
            "The models share events and days: that they agree is one finding.",
            *_not_run(specifications),
            *_shared.dependence(result),
        ),
        label="models",
    )


def _specifications(
    result: Result, of: Specifications[Result] | Sequence[str | Model] | Mapping[str, str | Model] | None
) -> Specifications[Result]:
    """Return the specifications, which are run if models are given."""
    from eventstudy.analysis.specifications import Specifications

    if isinstance(of, Specifications):
        return of
    if isinstance(of, str) or not isinstance(of, Sequence | Mapping):
        raise InputError("of is no list of models; give names as in of=['market', 'mean'], or a result of across()")
    return result.across(of)


def _not_run(specifications: Specifications[Result]) -> Iterator[str]:
    for label, error in specifications.models["error"].items():
        if error:
            yield f"{formats.MISSING} {names.of_model(label)} could not be run: {formats.plain(error)}."


TABLE = models
