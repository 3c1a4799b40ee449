"""Writing a report: one place for the encoding and the folder."""

from __future__ import annotations

from pathlib import Path


def write(path: str | Path, text: str) -> None:
    """Write UTF-8 and line ends as they are; missing folders are made, half characters become question marks."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8", errors="replace", newline="") as file:
        file.write(text)
