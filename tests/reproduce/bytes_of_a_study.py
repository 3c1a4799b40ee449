"""Write all that a study can be written as into a folder, on a day of the caller's choice.

Run as a program: ``python bytes_of_a_study.py STUDY OUT DAY``.
"""

from __future__ import annotations

import datetime
import sys
import time
from pathlib import Path

SUFFIXES = {"text": "txt", "latex": "tex"}  # of reports whose name is not their suffix


def set_clock(day: str) -> None:
    """Make it noon of a day, for all that asks Python; before anything else is imported."""
    real, noon = time.time, datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()
    shift = noon - real()

    class Shifted(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Shifted:
            return cls.fromtimestamp(time.time(), tz)

        @classmethod
        def utcnow(cls) -> Shifted:
            return cls.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> Shifted:
            return cls.now()

    class Today(datetime.date):
        @classmethod
        def today(cls) -> Today:
            return cls.fromtimestamp(time.time())

    local, utc = time.localtime, time.gmtime
    time.time = lambda: real() + shift
    time.localtime = lambda seconds=None: local(time.time() if seconds is None else seconds)  # type: ignore[assignment]
    time.gmtime = lambda seconds=None: utc(time.time() if seconds is None else seconds)  # type: ignore[assignment]
    datetime.datetime, datetime.date = Shifted, Today  # type: ignore[misc]


def main(study: Path, out: Path, day: str) -> None:
    """Write every report and figure of the registry, the saved result and the zip."""
    set_clock(day)
    from eventstudy import _registry, studyfile
    from eventstudy.plots._save import save_figure
    from eventstudy.reproduce.replicate import _figures, replicate

    assert datetime.date.today().isoformat() == day
    file = studyfile.read(study)
    result = file.study.run(file.events, file.prices(), factors=file.factors)
    out.mkdir(parents=True)
    result.save(out / "study.result")
    for name in _registry.names("reports"):
        result.report(out / f"report_{name}.{SUFFIXES.get(name, name)}")
    for kind in _figures():
        for suffix in ("pdf", "png", "svg"):
            save_figure(result.plot(kind), out / f"{kind}.{suffix}")
    replicate(study, out / "study.zip", with_prices=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
