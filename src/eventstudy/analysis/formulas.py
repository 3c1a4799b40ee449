"""Formulas of regressions: what they may hold is checked before anything of them is evaluated.

A formula is data, which may come from a file; the libraries that read it evaluate it as code. It may therefore hold the
names of columns, numbers, operators, and the functions listed here, and nothing else.
"""

from __future__ import annotations

import ast
import io
import operator
import tokenize
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

# A formula is evaluated with the names of this module.
from numpy import exp, log, log1p, log2, log10, sqrt  # noqa: F401

from eventstudy.errors import InputError, did_you_mean, shown

if TYPE_CHECKING:
    import pandas as pd
    from statsmodels.regression.linear_model import WLS, RegressionModel

    from eventstudy.types import Floats

FUNCTIONS = ("log", "log1p", "log2", "log10", "sqrt", "exp", "abs")
CONTRASTS = ("Treatment", "Sum", "Diff", "Helmert", "Poly")
ALLOWED = (
    f"a formula holds names of columns, numbers, the operators + - * / : **, the functions {', '.join(FUNCTIONS)} (with"
    f" or without np.), Q('a column with blanks'), I(arithmetic) and C(column), with {', '.join(CONTRASTS)} in it"
)
LONGEST, MOST_TERMS, HIGHEST = 1_000, 500, 10  # characters, terms, and exponent
EXAMPLE = "'car ~ size'"
LARGEST = 1e300  # beyond it, products of floats have no value
PRODUCTS = (ast.Mult, ast.MatMult, ast.Div)
# Arithmetic inside I(...) and functions; outside, operators put terms together and compute nothing.
BINARY: dict[type[ast.operator], Callable[[Floats, Floats], Floats]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}  # fmt: skip
UNARY: dict[type[ast.unaryop], Callable[[Floats], Floats]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}


def column_names(formula: object, columns: Iterable[str]) -> list[str]:
    """Return the columns that a formula names.

    Raises
    ------
    InputError
        If the formula is not one, names what is no column, or holds anything that is not allowed.

    Examples
    --------
    >>> column_names("car ~ log(size) + C(sector)", ["car", "size", "sector"])
    ['car', 'size', 'sector']
    """
    if not isinstance(formula, str) or len(formula) > LONGEST:
        raise InputError(f"formula is {shown(formula)}; give a text such as 'car ~ size + C(sector)'")
    known = list(columns)
    try:
        left, right = sides_of(formula)
        reader = _Reader(formula, known)
        names = [*reader.outcome(left), *reader.terms(right)]
        terms = _count_terms(right)
    except (SyntaxError, ValueError, tokenize.TokenError, RecursionError, MemoryError) as error:
        if isinstance(error, InputError):
            raise
        reason = "it is not complete" if isinstance(error, tokenize.TokenError) else getattr(error, "msg", "") or error
        raise InputError(f"formula {shown(formula)} cannot be used: {reason}; {ALLOWED}") from None
    if terms > MOST_TERMS:
        raise InputError(f"formula {shown(formula)} has more than {MOST_TERMS} terms; use fewer")
    return list(dict.fromkeys(names))


def model_of(model_class: type[WLS], formula: str, frame: pd.DataFrame, **options: Floats) -> RegressionModel:
    """Return the statsmodels model of a formula that was checked; raise InputError if it cannot be used."""
    try:
        with np.errstate(all="ignore"):  # the log of a negative number is a missing value, and is counted as such
            return model_class.from_formula(formula, frame, **options)
    except Exception as error:
        cause = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"formula {shown(formula)} cannot be used: {cause}; the columns are {_listed(frame.columns)}"
        ) from error


def sides_of(formula: str) -> list[ast.expr]:
    """Parse both sides of a formula as Python; a colon between variables, which is not Python, becomes an @."""
    sides = [""]
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(" ".join(formula.split())).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.ERRORTOKEN and token.string.strip()):
            raise SyntaxError(f"{token.string!r} is not allowed")
        depth += (token.string in "([{") - (token.string in ")]}") if token.type == tokenize.OP else 0
        if token.type == tokenize.OP and token.string == "~" and depth == 0:
            sides.append("")
        elif token.type not in (tokenize.NEWLINE, tokenize.ENDMARKER):
            sides[-1] += " @ " if token.type == tokenize.OP and token.string == ":" else f"{token.string} "
    if len(sides) != 2:
        raise InputError(f"formula {shown(formula)} has {len(sides) - 1 or 'no'} ~; one is needed: give {EXAMPLE}")
    for side, name in zip(sides, ("left", "right"), strict=True):
        if not side.strip():
            raise InputError(
                f"formula {shown(formula)} has nothing to the {name} of ~; give {EXAMPLE}, or 'car ~ 1' for the mean"
            )
    return [ast.parse(side.strip(), mode="eval").body for side in sides]


class _Reader:
    """Yields the columns in a part of a formula, and raises for what is not allowed."""

    def __init__(self, formula: str, columns: list[str]) -> None:
        self.formula, self.columns = formula, columns

    def outcome(self, node: ast.expr) -> Iterator[str]:
        """Yield the names of columns on the left side, which is one value for each event."""
        if isinstance(node, ast.BinOp | ast.UnaryOp):
            raise self._computes_nothing(node)
        yield from self._factor(node)

    def terms(self, node: ast.expr) -> Iterator[str]:
        """Yield the names of columns in terms, which operators put together."""
        if isinstance(node, ast.BinOp):
            self._check_terms(node)
            yield from self.terms(node.left)
            if not isinstance(node.op, ast.Pow):
                yield from self.terms(node.right)
        elif isinstance(node, ast.UnaryOp) and type(node.op) in UNARY:
            if isinstance(node.op, ast.USub) and not _is_intercept(node.operand):
                raise self._computes_nothing(node)
            yield from self.terms(node.operand)
        elif not _is_intercept(node):
            yield from self._factor(node)

    def _check_terms(self, node: ast.BinOp) -> None:
        """Check that an operator between terms does something: that it is not meant as arithmetic."""
        left, right = node.left, node.right
        if isinstance(node.op, ast.Pow):
            self._check_power(node)
            whole = isinstance(right, ast.Constant) and type(right.value) is int and right.value > 0
            useless = not whole or not isinstance(left, ast.BinOp)
        elif isinstance(node.op, PRODUCTS):
            factors = [ast.dump(factor) for factor in _factors(node)]
            numbers = [_is_number(factor) or isinstance(factor, ast.UnaryOp) for factor in _factors(node)]
            useless = any(numbers) or len(set(factors)) < len(factors)
        elif isinstance(node.op, ast.Sub):
            useless = not _is_intercept(right) and not columns_in(right) <= columns_in(left)
        elif isinstance(node.op, ast.Add):
            useless = False
            if isinstance(right, ast.UnaryOp) and isinstance(right.op, ast.USub):
                raise self._refused(node, f"write {shown(ast.unparse(left) + ' - ' + ast.unparse(right.operand))}")
        else:
            raise self._refused(node)
        if useless:
            raise self._computes_nothing(node)

    def _factor(self, node: ast.expr) -> Iterator[str]:
        names = list(self.names(node))
        if not names:
            raise self._refused(node, "it names no column; of numbers alone, a formula may hold 0 or 1, its intercept")
        yield from names

    def names(self, node: ast.expr) -> Iterator[str]:
        """Yield the names of columns in an expression that is computed."""
        if isinstance(node, ast.Name):
            yield self._column(node.id)
        elif isinstance(node, ast.BinOp) and type(node.op) in BINARY:
            if isinstance(node.op, ast.Pow):
                self._check_power(node)
            yield from self.names(node.left)
            yield from self.names(node.right)
        elif isinstance(node, ast.UnaryOp) and type(node.op) in UNARY:
            yield from self.names(node.operand)
        elif isinstance(node, ast.Call):
            yield from self._call(node)
        elif not _is_number(node):
            raise self._refused(node)
        elif abs(node.value) > LARGEST:  # type: ignore[attr-defined]
            raise self._refused(node, f"numbers reach {LARGEST:g}")

    def _call(self, node: ast.Call) -> Iterator[str]:
        function = function_name(node.func)
        if function == "C" and node.args:
            yield from self.names(node.args[0])
            for part in (*node.args[1:], *(keyword.value for keyword in node.keywords)):
                self._check_coding(part)
        elif function == "Q" and [type(getattr(part, "value", None)) for part in node.args] == [str]:
            yield self._column(node.args[0].value)  # type: ignore[attr-defined]
        elif function in ("I", *FUNCTIONS) and len(node.args) == 1 and not node.keywords:
            yield from self.names(node.args[0])
        else:
            raise self._refused(node)

    def _check_coding(self, node: ast.expr) -> None:
        """Check how C codes its column: a contrast with or without options, or levels."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CONTRASTS:
            parts = [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.List | ast.Tuple):
            parts = node.elts
        elif isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id in CONTRASTS):
            return
        else:
            raise self._refused(node)
        for part in parts:
            self._check_coding(part)

    def _check_power(self, node: ast.BinOp) -> None:
        """Check a power: one of a number, or to another power, can take hours."""
        exponent = node.right.operand if isinstance(node.right, ast.UnaryOp) else node.right
        small = _is_number(exponent) and abs(exponent.value) <= HIGHEST  # type: ignore[attr-defined]
        if not small or not columns_in(node.left):
            raise self._refused(node)

    def _column(self, name: str) -> str:
        if name in self.columns and not name.startswith("_"):
            return name
        hint = did_you_mean(name, self.columns)
        raise InputError(
            f"formula {shown(self.formula)} names {shown(name)}; the columns are {_listed(self.columns)}{hint}"
            + ("; a column whose name begins with _ must be renamed" if name.startswith("_") else "")
        )

    def _refused(self, node: ast.expr, reason: str = ALLOWED) -> InputError:
        part = ast.unparse(node).replace(" @ ", ":")
        return InputError(f"formula {shown(self.formula)} cannot be used: {shown(part)} is not allowed; {reason}")

    def _computes_nothing(self, node: ast.expr) -> InputError:
        computed = ast.unparse(node).replace(" @ ", " * ")
        return self._refused(
            node, f"outside I(...), operators put terms together and compute nothing; write {shown(f'I({computed})')}"
        )


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _is_intercept(node: ast.expr) -> bool:
    """Return whether a term is 0 or 1."""
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value in (0, 1)


def _factors(node: ast.expr) -> list[ast.expr]:
    """Return what a product of terms is made of."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, PRODUCTS):
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def function_name(node: ast.expr) -> str:
    """Return the name of a function, without np.; "" for anything else that is called."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "np":
        return node.attr if node.attr in FUNCTIONS else ""
    return node.id if isinstance(node, ast.Name) else ""


def columns_in(node: ast.expr) -> set[str]:
    """Return the columns that an expression names, as a name or in Q."""
    calls = [part for part in ast.walk(node) if isinstance(part, ast.Call)]
    functions = [id(part) for call in calls for part in ast.walk(call.func)]
    quoted = [part for call in calls if function_name(call.func) == "Q" for part in call.args]
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name) and id(part) not in functions]
    return {part.id for part in names} | {str(part.value) for part in quoted if isinstance(part, ast.Constant)}


def _count_terms(node: ast.expr) -> int:
    """Return an upper bound of the number of terms to which an expression expands."""
    if isinstance(node, ast.UnaryOp):
        return _count_terms(node.operand)
    if not isinstance(node, ast.BinOp):
        return 1
    left, right = _count_terms(node.left), _count_terms(node.right)
    if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
        return int(min((left + 1.0) ** float(node.right.value), MOST_TERMS + 1.0))  # type: ignore[arg-type]
    if isinstance(node.op, ast.Mult | ast.Div):
        return left + right + left * right
    return left * right if isinstance(node.op, ast.MatMult) else left + right


def _listed(columns: Iterable[str]) -> str:
    names = list(columns)
    return ", ".join(map(shown, names[:40])) + (f" and {len(names) - 40} more" if len(names) > 40 else "")
