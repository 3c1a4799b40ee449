"""Let atheris choose the bytes of a file by the branches of the library that they reach: `make fuzz`.

``python -m tests.fuzz.guided DOOR SECONDS SEED`` ends with an error at the first fault.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Fuzz one door; atheris ends the process."""
    import atheris

    with atheris.instrument_imports(include=["eventstudy"]):  # before the library is imported anywhere
        from tests.fuzz.doors import CORPUS, Doors
        from tests.fuzz.harness import attempt
        from tests.fuzz.values import Guided
    name, seconds, seed = sys.argv[1:]
    doors = Doors()
    door = doors.all()[name]

    def once(data: bytes) -> None:
        fault, _ = attempt(door, Guided(data))
        if fault:
            raise AssertionError(fault)

    with tempfile.TemporaryDirectory() as folder:
        for at, text in enumerate(CORPUS[name]):
            Path(folder, str(at)).write_bytes(text)
        limits = [f"-max_total_time={seconds}", f"-seed={int(seed) + 1}", "-rss_limit_mb=4096", "-max_len=2000"]
        atheris.Setup([sys.argv[0], *limits, folder], once)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
