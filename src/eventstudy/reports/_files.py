"""Write the text of a report: encoding, line ends and folders; and recognise a text by its first words."""

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


def head(path: Path, size: int = 4096) -> str:
    """Return the first characters of a file, for an earlier report to be recognised by."""
    with path.open("rb") as file:
        return file.read(size).decode("utf-8", errors="replace")
