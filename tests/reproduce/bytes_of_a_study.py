"""Write all that a study can be written as into a folder: ``python bytes_of_a_study.py STUDY OUT``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

SUFFIXES = {"text": "txt", "latex": "tex"}  # of reports whose name is not their suffix


def main(study: Path, out: Path) -> None:
    """Write every report and figure of the registry, the saved result and the zip; print the day."""
    from eventstudy import _registry, studyfile
    from eventstudy.plots._save import save_figure
    from eventstudy.reproduce.replicate import figures, replicate

    file = studyfile.read(study)
    result = file.study.run(file.events, file.prices(), factors=file.factors)
    out.mkdir(parents=True)
    result.save(out / "study.result")
    for name in _registry.names("reports"):
        result.report(out / f"report_{name}.{SUFFIXES.get(name, name)}")
    for kind in set(figures()) - {"groups"}:  # the study has none
        save_figure(result.plot(kind), out / f"{kind}.svg")  # the zip has them as PDF and PNG
    replicate(study, out / "study.zip", with_prices=True)
    sys.stdout.write(f"{datetime.now(UTC).date()}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
