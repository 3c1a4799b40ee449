"""The page of the HTML report as PDF, printed by an installed browser: Chromium, Chrome or Edge.

The browser is the first of them on the PATH, or the program that the environment variable EVENTSTUDY_BROWSER names. It
prints a page of the disk that has no script and fetches nothing. The same result gives the same bytes with the same
browser and fonts: the time of printing is left out.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from eventstudy.errors import InputError, OutputError
from eventstudy.reports import _files
from eventstudy.reports._html_page import page
from eventstudy.result import Result
from eventstudy.types import Analysis

VARIABLE = "EVENTSTUDY_BROWSER"
BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)  # fmt: skip
OPTIONS = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-extensions",
    "--no-pdf-header-footer",
)  # fmt: skip
SECONDS = 120
CREATOR = b"/Creator (eventstudy"
DATE = re.compile(rb"\(D:\d{14}")
BROWSER = re.compile(rb"(?<=/Creator \()(?:[^()\\]|\\.)*(?=\))")


class Pdf:
    """The HTML report, printed as PDF."""

    def render(
        self,
        result: Result,
        path: str | Path,
        *,
        title: str | None = None,
        question: str | None = None,
        analyses: Sequence[Analysis] = (),
    ) -> None:
        """Write the PDF to ``path``.

        Parameters
        ----------
        result : Result
        path : path ending in ``.pdf``
        title, question, analyses
            As in the HTML report.

        Raises
        ------
        InputError
            If an option is not valid, or there is no browser.
        OutputError
            If the browser cannot print the page.
        """
        program = browser()
        with tempfile.TemporaryDirectory() as folder:
            source, printed = Path(folder, "page.html"), Path(folder, "page.pdf")
            _files.write(source, page(result, title, question, analyses=analyses))
            _print(program, source, printed)
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_bytes(_without_time(printed.read_bytes()))

    def wrote(self, path: Path) -> bool:
        """Return whether a file begins like this report."""
        return CREATOR.decode("ascii") in _files.head(path)


def browser() -> str:
    """Return the path of the browser that prints.

    Raises
    ------
    InputError
        If there is none.
    """
    named = os.environ.get(VARIABLE)
    found = next(filter(None, map(shutil.which, (named,) if named else BROWSERS)), None)
    if found is None:
        missing = f"{VARIABLE} is {named!r}, which is no program" if named else "none of them was found"
        raise InputError(
            f"a .pdf report is printed by Chromium, Chrome or Edge: {missing}; install one, name it in {VARIABLE}, or"
            " write a .html report and print it"
        )
    return found


def _print(program: str, source: Path, printed: Path) -> None:
    """Print a page of the disk with a profile of its own."""
    is_root = getattr(os, "geteuid", lambda: 1)() == 0  # for whom Chromium has no sandbox
    command = [
        program,
        *OPTIONS,
        *(["--no-sandbox"] if is_root else []),
        f"--user-data-dir={source.parent / 'profile'}",
    ]
    try:
        done = subprocess.run(
            [*command, f"--print-to-pdf={printed}", source.as_uri()], capture_output=True, check=False, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OutputError(f"{program} cannot print the report: {error}; write a .html report and print it") from error
    if not printed.is_file():
        said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        reason = said[0] if said else f"exit code {done.returncode}"
        raise OutputError(f"{program} did not print the report: {reason}; write a .html report and print it")


def _without_time(pdf: bytes) -> bytes:
    """Return a PDF with a fixed time, and with this library as its creator; positions in the file do not change."""
    creator = BROWSER.search(pdf)
    if creator is not None:
        name = b"eventstudy"[: len(creator[0])].ljust(len(creator[0]))
        pdf = pdf[: creator.start()] + name + pdf[creator.end() :]
    return DATE.sub(b"(D:19800101000000", pdf)


REPORT = Pdf()
