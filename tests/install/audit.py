"""Ask for the advisories on every pin of the locks, ``make audit``; what could not be asked is no pass, and is said.

The auditing program runs in an environment of its own, so that the locks need not have it. It has a fixed version, and
what it is given has the pins of all systems and Pythons.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.install.locks import LOCKS, Pin, lock

PROGRAM = "pip-audit==2.10.1"
OPTIONS = (
    "--disable-pip",
    "--no-deps",
    "--vulnerability-service",
    "osv",
    "--progress-spinner",
    "off",
    "--format",
    "json",
)

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


class NotAuditedError(Exception):
    """Pins on which nothing was learnt."""


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command, and keep what it prints."""
    return subprocess.run(command, capture_output=True, text=True, check=False)


def turns(pins: Sequence[Pin]) -> list[list[Pin]]:
    """Divide pins so that each list has a name once: a lock can have one version for each Python."""
    found: list[list[Pin]] = []
    for pin in pins:
        free = next((turn for turn in found if pin.name not in {other.name for other in turn}), None)
        if free is None:
            found.append(free := [])
        free.append(pin)
    return found


def advisories(pins: Sequence[Pin], run: Run = run) -> dict[str, list[str]]:
    """Return the advisories on pins, by pin.

    Raises
    ------
    NotAuditedError
        If the program gave no answer, or none on one of the pins.
    """
    with TemporaryDirectory() as folder:
        asked, answer = Path(folder) / "pins.txt", Path(folder) / "answer.json"
        asked.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
        command = [sys.executable, "-m", "uv", "tool", "run", PROGRAM, *OPTIONS]
        done = run([*command, "--requirement", str(asked), "--output", str(answer)])
        if not answer.is_file():
            last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
            raise NotAuditedError(f"the advisory service gave no answer: {last[:300]}")
        rows = json.loads(answer.read_text(encoding="utf-8"))["dependencies"]
    found = {f"{row['name']}=={row.get('version')}": row.get("vulns") for row in rows}
    if silent := [str(pin) for pin in pins if found.get(str(pin)) is None]:
        raise NotAuditedError(f"the advisory service gave no answer on {', '.join(silent)}")
    return {pin: [vulnerability["id"] for vulnerability in ids] for pin, ids in found.items() if ids}


def main(names: Sequence[str] = tuple(LOCKS), run: Run = run) -> int:
    """Audit locks and print what was found; return 0 only if every pin was asked for and none has an advisory."""
    known = {str(pin): pin for name in names for pin in lock(name)}
    found: dict[str, list[str]] = {}
    try:
        for pins in turns(list(known.values())):
            found |= advisories(pins, run)
    except NotAuditedError as error:
        print(f"not audited: {error}; ask again where the service can be reached", file=sys.stderr)  # noqa: T201
        return 2
    for pin, ids in sorted(found.items()):
        print(f"{pin}: {', '.join(ids)}", file=sys.stderr)  # noqa: T201
    print(f"{len(known)} pins of {', '.join(names)} audited, {len(found)} with an advisory")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
