"""The values that a formula, once it is checked, gives each event: events without a finite one are left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from eventstudy.analysis.formulas import BINARY, UNARY, columns_in, function_name, sides_of
from eventstudy.errors import InputError, shown

if TYPE_CHECKING:
    import pandas as pd

    from eventstudy.types import Floats


def with_values(formula: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the rows for which every part of a formula is finite, and the number of the others by reason.

    Rows with a missing value in a column are returned.

    Raises
    ------
    InputError
        If no row is left.

    Examples
    --------
    >>> import pandas as pd
    >>> rows, lost = with_values("car ~ log(size)", pd.DataFrame({"car": [0.1, 0.2], "size": [0.0, 5.0]}))
    >>> rows["size"].tolist(), lost
    ([5.0], {'for which log(size) is not a finite number': 1})
    """
    lost, reasons = np.zeros(len(frame), dtype=bool), {}
    for part in dict.fromkeys(part for side in sides_of(formula) for part in _computed(side)):
        tree = ast.parse(part, mode="eval").body
        with np.errstate(all="ignore"):
            values = np.broadcast_to(_value(tree, frame), len(frame))
        bad = ~np.isfinite(values) & frame[sorted(columns_in(tree))].notna().all(axis=1).to_numpy()
        lost |= bad
        if bad.any():
            reasons[f"for which {part} is not a finite number"] = int(bad.sum())
    if reasons and lost.all():
        counts = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
        raise InputError(f"formula {shown(formula)} cannot be used: of {len(frame)} events none is left: {counts}")
    return frame[~lost], reasons


def _computed(node: ast.expr) -> Iterator[str]:
    """Yield the parts of a formula that are computed: columns, functions and I(...), but not the categories of C."""
    if isinstance(node, ast.BinOp):
        yield from _computed(node.left)
        yield from _computed(node.right)
    elif isinstance(node, ast.UnaryOp):
        yield from _computed(node.operand)
    elif not isinstance(node, ast.Constant) and not (isinstance(node, ast.Call) and function_name(node.func) == "C"):
        yield ast.unparse(node)


def _value(node: ast.expr, frame: pd.DataFrame) -> Floats:
    """Compute an expression for each event."""
    match node:
        case ast.BinOp():
            computed = BINARY[type(node.op)](_value(node.left, frame), _value(node.right, frame))
        case ast.UnaryOp():
            computed = UNARY[type(node.op)](_value(node.operand, frame))
        case ast.Call() if function_name(node.func) == "Q":
            computed = _column(frame[columns_in(node).pop()])
        case ast.Call():
            inner = _value(node.args[0], frame)
            computed = inner if function_name(node.func) == "I" else getattr(np, function_name(node.func))(inner)
        case ast.Name():
            computed = _column(frame[node.id])
        case _:
            computed = np.full(len(frame), float(ast.literal_eval(node)))
    return np.asarray(computed, dtype=np.float64)


def _column(column: pd.Series) -> Floats:
    """Return a column of numbers; ones for any other, of which statsmodels says whether it can be used."""
    if column.dtype.kind in "biuf":
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return np.ones(len(column))
