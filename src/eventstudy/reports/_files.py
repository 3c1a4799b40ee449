"""Writing a report: one place for the encoding, the line ends and the folder."""

from __future__ import annotations

from pathlib import Path


def write(path: str | Path, text: str) -> None:
    """Write UTF-8 with Unix line ends; missing folders are made, half characters become question marks."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
        file.write(text)
