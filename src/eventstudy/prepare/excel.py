"""The events sheet of an Excel workbook as a data frame, its cells as they are typed there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from eventstudy.errors import InputError
from eventstudy.tabular.excel import Rows, read_rows


def read_sheet(file: Path, as_typed: Sequence[str]) -> pd.DataFrame:
    """Return the only sheet of a workbook that is not empty, or the one named ``events``.

    Parameters
    ----------
    file : Path
    as_typed : sequence of str
        Columns whose cells stay as they are typed; in the other columns, pandas infers the type.

    Raises
    ------
    InputError
        If openpyxl is not installed, the file is not a workbook, or its sheet or header is ambiguous.
    """
    return _frame(file, read_rows(file, "events"), as_typed)


def _frame(file: Path, rows: Rows, as_typed: Iterable[str]) -> pd.DataFrame:
    """Return rows as a frame under the names in the first of them."""
    header, *cells = rows
    used = [at for at, name in enumerate(header) if name is not None or any(row[at] is not None for row in cells)]
    unnamed = [at + 1 for at in used if header[at] is None]
    if unnamed:
        raise InputError(f"column {unnamed[0]} of the workbook {str(file)!r} has cells and no name in the first row")
    names = [str(header[at]).strip() for at in used]
    typed = pd.DataFrame([[row[at] for at in used] for row in cells], columns=names, dtype=object)
    if typed.columns.has_duplicates:
        return typed  # refused by name when the events are read
    further = [name for name in names if name not in as_typed]
    return typed.assign(**{name: typed[name].infer_objects() for name in further})
