"""The statsmodels result of a regression across events, with a covariance and degrees of freedom of its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special
from statsmodels.regression.linear_model import RegressionModel, RegressionResults, RegressionResultsWrapper

from eventstudy.analysis.slopes import Inference
from eventstudy.types import Floats


class CrossSectionResults(RegressionResults):  # type: ignore[misc]
    """Results whose p-values and intervals are those of an :class:`~eventstudy.analysis.slopes.Inference`.

    Tests of several coefficients together use the smallest of their degrees of freedom.
    """

    inference: Inference | None = None

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
        return float(super().fvalue) if self.inference is None else self._joint_test()[0]

    @property
    def f_pvalue(self) -> float:
        """The p-value of ``fvalue``."""
        return float(super().f_pvalue) if self.inference is None else self._joint_test()[1]

    def _joint_test(self) -> tuple[float, float]:
        """Return Hotelling's T^2 as an F, and its p-value: the covariance has few degrees of freedom."""
        assert self.inference is not None, "asked for where there is one"
        constant, k = self.model.data.const_idx, len(self.params) - self.inference.effects.shape[1]
        terms = np.array([j for j in range(k) if j != constant], dtype=np.int64)
        b, cov = np.asarray(self.params)[terms], self.inference.cov[np.ix_(terms, terms)]
        q, df = len(terms), self.df_resid_inference - len(terms) + 1.0
        # A covariance from fewer clusters or days than coefficients has no inverse; ranks have no F.
        if not (q and 0.0 < df < np.inf) or not np.isfinite(cov).all() or np.linalg.matrix_rank(cov) < q:
            return np.nan, np.nan
        f = float(b @ np.linalg.solve(cov, b) * df / (self.df_resid_inference * q))
        return f, float(special.fdtrc(q, df, f))


class LabelledResults(RegressionResultsWrapper):  # type: ignore[misc]
    """The results with the names of terms and events."""

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Return the intervals of level 1 - alpha; the wrapper of statsmodels would call its own method."""
        results = self._results
        frame: pd.DataFrame = results.model.data.wrap_output(results.conf_int(alpha), "columns")
        return frame


def results(model: RegressionModel, found: Inference) -> RegressionResultsWrapper:
    """Return the results of a model whose coefficients are those of an inference, with its covariance."""
    plain = model.fit()
    fit = CrossSectionResults(model, np.asarray(plain.params), plain.normalized_cov_params, plain.scale)
    fit.inference = found
    fit.cov_params_default = found.cov
    fit.df_resid_inference = float(np.min(found.df, where=np.isfinite(found.df), initial=np.inf))
    fit.use_t = True
    describe(fit, found.kind, found.note, pd.Series(found.df, model.exog_names))
    return LabelledResults(fit)


def describe(fit: RegressionResults, kind: str, note: str, df: pd.Series) -> None:
    """State in a fit how its errors were computed: in its attributes, and in the notes of its summary."""
    fit.cov_type, fit.note, fit.df = kind, note, df
    fit.cov_kwds = {"description": note}
