"""Write the text of a report: encoding, line ends and folders; and recognise a text by its first words."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path


def write(path: str | Path, text: str) -> None:
    """Write text as UTF-8 with its line ends unchanged.

    Missing folders are created; a lone surrogate, which UTF-8 cannot encode, becomes a question mark.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8", errors="replace", newline="") as file:
        file.write(text)


def head(path: Path, size: int = 4096) -> str:
    """Return the first characters of a file, for an earlier report to be recognised by."""
    with path.open("rb") as file:
        return file.read(size).decode("utf-8", errors="replace")


def has_mark(path: Path, mark: str) -> bool:
    """Return whether an Office file has a mark in its properties."""
    try:
        with zipfile.ZipFile(path) as file, file.open("docProps/core.xml") as properties:
            return mark.encode() in properties.read(2**16)
    except (OSError, KeyError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError):
        return False
