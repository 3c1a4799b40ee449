"""Write the file of a report: encoding, line ends and missing folders."""

from __future__ import annotations

from pathlib import Path


def write(path: str | Path, text: str) -> None:
    """Write text as UTF-8 with its line ends unchanged.

    Missing folders are created; a lone surrogate, which UTF-8 cannot encode, becomes a question mark.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8", errors="replace", newline="") as file:
        file.write(text)
