"""The statsmodels result of a regression across events, with a covariance and degrees of freedom of its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import special
from statsmodels.regression.linear_model import RegressionModel, RegressionResults, RegressionResultsWrapper

from eventstudy.analysis.slopes import Inference
from eventstudy.core.slopes import column_sizes
from eventstudy.types import Floats, Ints


class CrossSectionResults(RegressionResults):  # type: ignore[misc]
    """Results whose p-values and intervals are those of an :class:`~eventstudy.analysis.slopes.Inference`.

    Tests of several coefficients together use the smallest of their degrees of freedom. Without an inference they are
    those of statsmodels, with ``joint``, its F and p of all terms.
    """

    inference: Inference | None = None
    joint: tuple[float, float] = (np.nan, np.nan)

    @property
    def pvalues(self) -> Floats:
        """Two-sided p-values, each from t with the degrees of freedom of its coefficient, or from ranks."""
        return np.asarray(super().pvalues if self.inference is None else self.inference.p)

    def conf_int(self, alpha: float = 0.05) -> Floats:
        """Return the intervals (k, 2) of level 1 - alpha that agree with the p-values."""
        if self.inference is None:
            return np.asarray(super().conf_int(alpha))
        half = self.inference.margins(1.0 - alpha)
        return np.column_stack([self.params - half, self.params + half])

    @property
    def fvalue(self) -> float:
        """F of the formula's terms but the constant; NaN if it is not defined."""
        return self._joint_test()[0]

    @property
    def f_pvalue(self) -> float:
        """The p-value of ``fvalue``."""
        return self._joint_test()[1]

    def _joint_test(self) -> tuple[float, float]:
        """Return Hotelling's T^2 as an F, and its p-value: the covariance has few degrees of freedom."""
        if self.inference is None:
            return self.joint
        constant, k = self.model.data.const_idx, len(self.params) - self.inference.effects.shape[1]
        terms = np.array([j for j in range(k) if j != constant], dtype=np.int64)
        b, cov = np.asarray(self.params)[terms], self.inference.cov[np.ix_(terms, terms)]
        q, df = len(terms), self.df_resid_inference - len(terms) + 1.0
        se = np.sqrt(np.diag(cov))
        if not (q and 0.0 < df < np.inf) or not (se > 0.0).all():
            return np.nan, np.nan
        t, correlation = b / se, cov / np.outer(se, se)
        # A covariance from fewer clusters or days than coefficients has no inverse; ranks have no F.
        if np.linalg.matrix_rank(correlation) < q:
            return np.nan, np.nan
        f = float(t @ np.linalg.solve(correlation, t) * df / (self.df_resid_inference * q))
        return f, float(special.fdtrc(q, df, f))


class LabelledResults(RegressionResultsWrapper):  # type: ignore[misc]
    """The results with the names of terms and events."""

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Return the intervals of level 1 - alpha; the wrapper of statsmodels would call its own method."""
        results = self._results
        frame: pd.DataFrame = results.model.data.wrap_output(results.conf_int(alpha), "columns")
        return frame


def results(model: RegressionModel, found: Inference, options: Mapping[str, Floats]) -> RegressionResultsWrapper:
    """Return the results of a model whose coefficients are those of an inference, with its covariance."""
    fit, _ = _scaled_fit(model, options)
    fit.inference = found
    fit.cov_params_default = found.cov
    fit.df_resid_inference = float(np.min(found.df, where=np.isfinite(found.df), initial=np.inf))
    fit.use_t = True
    describe(fit, found.kind, found.note, pd.Series(found.df, model.exog_names))
    return LabelledResults(fit)


def plain(model: RegressionModel, cov: str, groups: Ints, options: Mapping[str, Floats]) -> RegressionResultsWrapper:
    """Return the results of statsmodels with one of its covariances; ``options`` are the weights of the model."""
    kwds = {"groups": groups} if cov == "cluster" else None
    fit, scaled = _scaled_fit(model, options, cov_type=cov, cov_kwds=kwds, use_t=True)
    fit.df_resid_inference = float(getattr(scaled, "df_resid_inference", scaled.df_resid))
    fit.joint = float(scaled.fvalue), float(scaled.f_pvalue)
    fit.use_t = True
    note = str(scaled.cov_kwds["description"])
    n_dates = len(np.unique(groups))
    if cov == "cluster":
        note += f" It rejects too often with few dates or uneven ones: here {n_dates}; cov='cr2' does not."
    elif n_dates < len(groups):
        note += f" They take events as independent, but {len(groups)} have {n_dates} dates: use cov='auto'."
    describe(fit, cov, note, pd.Series(fit.df_resid_inference, model.exog_names))
    return LabelledResults(fit)


def _scaled_fit(
    model: RegressionModel, options: Mapping[str, Floats], **fit_options: object
) -> tuple[CrossSectionResults, RegressionResults]:
    """Fit terms that are divided by their sizes; return results in the units of the model, and those of the fit.

    statsmodels takes terms whose units are far apart, such as a constant and values of firms, for combinations of each
    other, and loses their digits.
    """
    size = column_sizes(np.asarray(model.exog, dtype=np.float64))
    scaled = type(model)(model.endog, model.exog / size, **options).fit(**fit_options)
    units = np.outer(size, size)
    model.df_model, model.df_resid = scaled.df_model, scaled.df_resid  # what ``model.fit`` leaves in it
    model.pinv_wexog = scaled.model.pinv_wexog / size[:, None]
    fit = CrossSectionResults(model, scaled.params / size, scaled.normalized_cov_params / units, scaled.scale)
    fit.cov_params_default = scaled.cov_params() / units
    return fit, scaled


def describe(fit: RegressionResults, kind: str, note: str, df: pd.Series) -> None:
    """State in a fit how its errors were computed: in its attributes, and in the notes of its summary."""
    fit.cov_type, fit.note, fit.df = kind, note, df
    fit.cov_kwds = {"description": note}
