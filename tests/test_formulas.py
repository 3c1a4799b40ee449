"""Formulas are data: nothing of them is evaluated but columns, numbers and a stated list of functions."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.analysis.formulas import column_names, model_of
from tests.fuzz.harness import within

COLUMNS = ["car", "se", "size", "sector", "market cap", "log"]


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("car ~ 1", ["car"]),
        ("car ~ size + C(sector)", ["car", "size", "sector"]),
        ("car ~ np.log(size) - 1", ["car", "size"]),
        ("np.log(1 + car) ~ size:se + sector*size", ["car", "size", "se", "sector"]),
        ("car ~ (size + se)**2", ["car", "size", "se"]),
        ("car ~ I(size**2) + I(-size / (1 + se))", ["car", "size", "se"]),
        ("car ~ C(sector, Treatment(reference='tech'))", ["car", "sector"]),
        ("car ~ C(sector, levels=['tech', 'other'])", ["car", "sector"]),
        ("car ~ C(sector, Sum)", ["car", "sector"]),
        ("car ~ Q('market cap') + log", ["car", "market cap", "log"]),
        ("car ~\n size", ["car", "size"]),
        ("car ~ -1 + size*se - size:se", ["car", "size", "se"]),
        ("I(car / 100) ~ C(sector)/size + 0", ["car", "sector", "size"]),
    ],
)
def test_what_a_formula_may_hold(formula: str, names: list[str]) -> None:
    assert column_names(formula, COLUMNS) == names


@pytest.mark.parametrize(
    "formula",
    [
        "car ~ I(__import__('os').system('touch {}') or size)",
        "car ~ I(size.__class__)",
        "car ~ size.sum()",
        "car ~ np.load('{}')",
        "car ~ np.fromfile('{}')",
        "car ~ np.lib.npyio",
        "car ~ I(np)",
        "car ~ eval('1')",
        "car ~ open('{}', 'w')",
        "car ~ (lambda: size)()",
        "car ~ I([size for size in size])",
        "car ~ I(size[0])",
        "car ~ I(size if size else se)",
        "car ~ I(size > 1)",
        "car ~ I(f'{size}')",
        "car ~ C(open('{}', 'w'))",
        "car ~ C(sector, open('{}', 'w'))",
        "car ~ C(sector, levels=open('{}', 'w'))",
        "car ~ C(sector, Treatment(open('{}', 'w')))",
        "car ~ {open('x', 'w')}",
        "car ~ `size`",
        "car ~ I(x := size)",
        "car ~ log(size, out=se)",
        "car ~ abs(size, se)",
        "car ~ C()",
        "car ~ Q(size)",
        "car ~ Q('nope')",
        "car ~ nope",
        "car ~ __builtins__",
        "car ~ _size",
        "car ~ I(9**9**9**9)",
        "car ~ I((9**9)**9)",
        "car ~ I(size**9999999)",
        "car ~ (size + se)**9",
        "car ~ " + "*".join(["size", "se", "sector"] * 9),
        "car ~ " + "(" * 400 + "size" + ")" * 400,
        "car ~ " + "size + " * 400,
        "car ~ 'size'",
        "car ~ 1j",
        "car ~ size ^ se",
        "car ~ size | se",
        "car ~ @size",
        "car ~ size # comment\n + nope",
        "car ~ size = 1",
        "car ~ size; se",
        "car size",
        "car ~ ~ size",
        "~ size",
        "car ~",
        "",
        "car ~ (size",
        "car ~ size)",
        "car ~ size\0",
        "car ~ \ud800",
        7,
        None,
        b"car ~ size",
    ],
)
def test_what_a_formula_may_not_hold(formula: object, tmp_path: Path) -> None:
    file = tmp_path / "made"
    text = formula.replace("{}", str(file)) if isinstance(formula, str) else formula
    with within(60), pytest.raises(es.InputError) as error:  # evaluated, some would take hours
        column_names(text, COLUMNS)
    assert len(str(error.value)) < 1_200
    assert not file.exists()


@pytest.mark.parametrize(
    ("formula", "remedy"),
    [
        ("car ~ size/0", "I(size / 0)"),
        ("car ~ size*2", "I(size * 2)"),
        ("car ~ -1*size", "I(-1 * size)"),
        ("car ~ 2:size", "I(2 * size)"),
        ("car ~ se + size**2", "I(size ** 2)"),
        ("car ~ log(size)**2", "I(log(size) ** 2)"),
        ("car ~ size*size", "I(size * size)"),
        ("car ~ size:se:size", "I(size * se * size)"),
        ("car ~ size - se", "I(size - se)"),
        ("car ~ -size", "I(-size)"),
        ("car - size ~ 1", "I(car - size)"),
        ("car/100 ~ size", "I(car / 100)"),
        ("-car ~ size", "I(-car)"),
        ("car ~ size + -1", "size - 1"),
    ],
)
def test_arithmetic_that_would_be_ignored_is_refused_with_what_to_write(formula: str, remedy: str) -> None:
    with pytest.raises(es.InputError, match=re.escape(f"write '{remedy}'")):
        column_names(formula, COLUMNS)


@pytest.mark.parametrize("formula", ["1 ~ size", "car ~ 2", "car ~ size + 1.0", "car ~ log(2)", "car ~ I(5) + size"])
def test_numbers_other_than_the_intercept_are_no_terms(formula: str) -> None:
    with pytest.raises(es.InputError, match="it names no column"):
        column_names(formula, COLUMNS)


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("car size", "has no ~"), ("", "has no ~"), ("car ~ size ~ se", "has 2 ~"),
        ("~ size", "has nothing to the left of ~"), ("car ~ ", "has nothing to the right of ~"),
    ],
)  # fmt: skip
def test_a_formula_without_two_sides_is_shown_one(formula: str, says: str) -> None:
    with pytest.raises(es.InputError, match=rf"{says}.*give 'car ~ size'"):
        column_names(formula, COLUMNS)


def test_powers_of_powers_are_checked_at_once() -> None:
    with within(60):
        for formula in ("car ~ I(" + "(" * 80 + "size" + "**2)" * 80 + ")", "car ~ size" + " - size" * 100):
            column_names(formula, COLUMNS)


def test_a_misspelt_column_is_named_with_the_nearest() -> None:
    with pytest.raises(es.InputError, match=r"names 'sise'; .*did you mean 'size'\?"):
        column_names("car ~ sise", COLUMNS)


@pytest.mark.parametrize("name", ["log", "log1p", "log2", "log10", "sqrt", "exp", "abs"])
def test_functions_are_those_of_numpy(name: str) -> None:
    from statsmodels.regression.linear_model import OLS

    size = np.arange(1.0, 20.0)
    frame = pd.DataFrame({"car": np.sin(size), "size": size})
    for formula in (f"car ~ {name}(size) - 1", f"car ~ np.{name}(size) - 1"):
        assert column_names(formula, frame.columns) == ["car", "size"]
        np.testing.assert_array_equal(model_of(OLS, formula, frame).exog[:, 0], getattr(np, name)(size))


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-" + "9" * 350, "1e308", "1e999"])
def test_numbers_beyond_those_of_floats_are_refused(number):
    with pytest.raises(es.InputError, match="numbers reach 1e\\+300"):
        column_names(f"car ~ I(size * {number})", ["car", "size"])
