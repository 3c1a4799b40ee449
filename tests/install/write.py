"""Write what each pin needs to ``pins.json``, having asked for a wheel of every pin on every system: ``make pins``."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import distributions
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.utils import canonicalize_name

from tests.install.locks import (
    LOCKS,
    PATCHES,
    PYTHONS,
    ROOT,
    SNAPSHOT,
    SYSTEMS,
    Needs,
    extras_asked,
    in_use,
    lock,
)


def install(python: str, system: str, target: Path, *arguments: str) -> None:
    """Have uv take wheels, and wheels alone, for another system or Python than this."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--python-version", python, "--python-platform", system, "--target", str(target), *arguments]
    subprocess.run(command, check=True)


def needs_of(target: Path) -> dict[str, Needs]:
    """Read what the distributions in a folder say of themselves."""
    found = sorted(distributions(path=[str(target)]), key=lambda d: canonicalize_name(d.name))
    return {
        f"{canonicalize_name(d.name)}=={d.version}": Needs(
            d.metadata.json.get("requires_python", ""), tuple(d.requires or ())
        )
        for d in found
    }


def trimmed(needs: dict[str, Needs]) -> dict[str, Needs]:
    """Keep the requirements that can apply, which may ask for further extras."""
    extras: set[str] = set()
    while True:
        kept = {pin: Needs(entry.python, tuple(in_use(entry.requires, extras))) for pin, entry in needs.items()}
        asked = extras_asked(requirement for entry in kept.values() for requirement in entry.requires)
        if asked <= extras:
            return kept
        extras |= asked


def main() -> None:
    """Ask every system and Python for the wheels of all pins, and read what they need from one wheel of each."""
    needs: dict[str, Needs] = {}
    pins = {str(pin): pin for name in LOCKS for pin in lock(name)}
    for python, patch, system in product(PYTHONS, PATCHES, SYSTEMS):
        with TemporaryDirectory() as folder:
            target = Path(folder) / "target"
            for name in LOCKS:
                install(
                    f"{python}.{patch}",
                    system,
                    target,
                    "--dry-run",
                    "--require-hashes",
                    "--requirements",
                    str(ROOT / name),
                )
            new = [f"{pin} ; {pins[pin].marker}" if pins[pin].marker else pin for pin in pins if pin not in needs]
            (Path(folder) / "new.txt").write_text("\n".join(new), encoding="utf-8")
            install(f"{python}.{patch}", system, target, "--requirements", str(Path(folder) / "new.txt"))
            needs |= needs_of(target)
    entries = {pin: {"python": n.python, "requires": n.requires} for pin, n in sorted(trimmed(needs).items())}
    SNAPSHOT.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
