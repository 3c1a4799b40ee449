"""Random input: mutated bytes, and values of every type that a caller may pass by mistake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

import numpy as np
import pandas as pd

BITS = (
    b"", b",", b";", b"\n", b"\r\n", b'"', b"'", b"\t", b"\0", b"\xff", b"\xef\xbb\xbf", b"null", b"NaN", b"inf", b"-1",
    b"0", b"1e999", b"-99.99", b"1,5", b"99999999999999999999", b"2021-02-30", b"0000-00-00", b"99991231", b"20210913",
    b"2021-09-13T10:00+08:00", b"2021-09-13 00:00:00-04:00", b"10000-01-01", b"EST", b"Asia/Shanghai", b"=1+1", b"..",
    b"../../etc/passwd", b"[", b"]" * 50, b"{", b"~", b"C(", b"__import__('os')", b"lambda: 0",
    b"\xe6\x97\xa5\xe6\x9c\x9f", b"Close", b"Date", b"ticker", b"announced", b"BMO", b"0700.HK", b"^HSI", b"=X",
    b"a" * 300, b"true", b"1" * 400,
)  # fmt: skip

VALUES: tuple[Callable[[], object], ...] = (
    lambda: None, lambda: True, lambda: 0, lambda: 1, lambda: -1, lambda: 10**9, lambda: -(10**9), lambda: 10**30,
    lambda: 0.0, lambda: 0.5, lambda: 1.5, lambda: -0.5, lambda: float("nan"), lambda: float("inf"), lambda: 1j,
    lambda: "", lambda: "x", lambda: "market", lambda: "IDX", lambda: "T0", lambda: "a\0b", lambda: "all",
    lambda: "=1+1", lambda: "x" * 10_000, lambda: "2021-02-30", lambda: b"bmp", lambda: bytearray(b"x"), lambda: [],
    lambda: [None], lambda: [1], lambda: ["holm"], lambda: ["cross_section"], lambda: [[0, 0]], lambda: (),
    lambda: (0, 0), lambda: ((0, 0),), lambda: (-10, 20_000), lambda: (-(10**9), -11), lambda: (5, -5),
    lambda: (0.5, 1), lambda: (None, None), lambda: ("a", "b"), lambda: {}, lambda: {"T0": "IDX"}, lambda: {1: 2},
    lambda: {"XNYS": {"2021-11-04": "19:15"}}, lambda: {"XNYS": {"2021-13-04": None}}, lambda: {"x": None},
    lambda: set(), lambda: {"bmp"}, lambda: object(), lambda: int, lambda: len, lambda: (lambda *a: a),
    lambda: np.nan, lambda: np.float64(0.5), lambda: np.int64(3), lambda: np.bool_(True), lambda: np.array([]),
    lambda: np.array([1.0, 2.0]), lambda: np.array("x"), lambda: pd.NA, lambda: pd.NaT,
    lambda: pd.Timestamp("2021-09-13"), lambda: pd.Timestamp("2021-09-13", tz="Asia/Shanghai"),
    lambda: pd.Series([1.0]), lambda: pd.DataFrame(),
    lambda: pd.DataFrame({"a": [1]}), lambda: pd.Index(["a"]), lambda: date(2021, 9, 13), lambda: datetime(2021, 9, 13),
    lambda: timedelta(1), lambda: Decimal("1.5"), lambda: Decimal("NaN"), lambda: iter([1]), lambda: range(3),
    lambda: Exception("x"), lambda: ...,
)  # fmt: skip


class Guided(Random):
    """A generator that gives one input of a fuzzer's own choice where bytes are asked for."""

    def __init__(self, data: bytes) -> None:
        super().__init__(0)
        self.data = data


def value(random: Random) -> object:
    """Return a value of any type."""
    return random.choice(VALUES)()


def mutated(random: Random, corpus: Sequence[bytes]) -> bytes:
    """Return one of the corpus with a few pieces cut, doubled, swapped, flipped or put in."""
    if isinstance(random, Guided):
        return random.data
    data = bytearray(random.choice(corpus))
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        at = random.randint(0, len(data))
        until = min(len(data), at + random.choice((1, 1, 2, 4, 8, 20)))
        action = random.randrange(6)
        if action == 0:
            del data[at:until]
        elif action == 1:
            data[at:at] = data[at:until]
        elif action == 2 and at < len(data):
            data[at] ^= 1 << random.randrange(8)
        elif action == 3:
            other = random.choice(corpus)
            start = random.randint(0, len(other))
            data[at:until] = other[start : start + random.choice((1, 5, 40))]
        elif action == 4:
            data[at:until] = random.choice(BITS)
        else:
            data[at:at] = random.choice(BITS)
    return bytes(data)


def changed(random: Random, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a data frame with a cell, a column, the index or the header changed to anything that pandas allows."""
    try:
        return _changed(random, frame.copy())
    except (TypeError, ValueError, pd.errors.InvalidIndexError, NotImplementedError):
        return frame


def _changed(random: Random, frame: pd.DataFrame) -> pd.DataFrame:
    for _ in range(random.randint(1, 2)):
        action = random.randrange(6)
        if action == 0 and frame.size:
            column = frame.columns[random.randrange(frame.shape[1])]
            cells = frame[column].astype(object).to_list() if frame.columns.is_unique else []
            if cells:
                cells[random.randrange(len(cells))] = value(random)
                frame[column] = pd.Series(cells, index=frame.index, dtype=object)
        elif action == 1 and frame.shape[1] and frame.columns.is_unique:
            column = frame.columns[random.randrange(frame.shape[1])]
            kind = random.choice(("str", "object", "float32", "bool", "category", "string", "complex"))
            frame = frame.astype({column: kind}, errors="ignore")
        elif action == 2:
            labels: list[object] = list(frame.index)
            if labels:
                labels[random.randrange(len(labels))] = value(random)
                frame.index = pd.Index(labels, dtype=object)
        elif action == 3 and frame.shape[1]:
            names: list[object] = list(frame.columns)
            names[random.randrange(len(names))] = random.choice(
                ("Close", "Ticker", "date", 1, None, "", "a" * 300, "beta")
            )
            frame.columns = pd.Index(names, dtype=object)
        elif action == 4:
            frame = frame.iloc[:: random.choice((-1, 2, 10**6))]
        else:
            frame = pd.concat([frame, frame.iloc[:2]]) if random.random() < 0.5 else frame.join(frame, rsuffix=" 2")
    return frame
