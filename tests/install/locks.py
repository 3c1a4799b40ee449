"""The locks, and whether they leave anything to choose: what the tests ask, and ``make pins`` writes an answer to."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
SNAPSHOT = Path(__file__).with_name("pins.json")
LOCKS = {"requirements.txt": "eventstudy-quant", "requirements-dev.txt": "eventstudy-quant[dev]"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PYTHONS = [found[1] for line in PROJECT["project"]["classifiers"] if (found := re.search(r"Python :: (3\.\d+)$", line))]
PATCHES = ("0", "99")  # the first of each Python, and a late one
# What markers can ask of a system, and uv's name for its wheels.
SYSTEMS = {
    "x86_64-manylinux_2_28": ("linux", "Linux", "posix", "x86_64"),
    "aarch64-manylinux_2_28": ("linux", "Linux", "posix", "aarch64"),
    "aarch64-apple-darwin": ("darwin", "Darwin", "posix", "arm64"),
    "x86_64-pc-windows-msvc": ("win32", "Windows", "nt", "AMD64"),
}


@dataclass(frozen=True)
class Pin:
    """One line of a lock."""

    name: str
    version: str
    marker: Marker | None
    hashes: tuple[str, ...]

    def __str__(self) -> str:
        """Write the pin as the snapshot names it."""
        return f"{self.name}=={self.version}"


@dataclass(frozen=True)
class Needs:
    """What a distribution says of itself: the Pythons that it runs on, and what it requires."""

    python: str
    requires: tuple[str, ...]


def read_lock(text: str) -> list[Pin]:
    """Read a lock; a line that is anything but a pin is refused."""
    plain = re.sub(r"^\s*#.*\n", "", text.replace("\\\n", ""), flags=re.MULTILINE)
    pins = []
    for line in plain.splitlines():
        found = re.fullmatch(r"([\w.-]+)==([\w.!+]+)(?: ; (.*?))?((?:\s+--hash=sha256:[0-9a-f]{64})*)\s*", line)
        if not found:
            raise ValueError(f"not a pin: {line!r}")
        name, version, marker, hashes = found.groups()
        pins.append(Pin(name, version, Marker(marker) if marker else None, tuple(hashes.split())))
    return pins


def lock(name: str) -> list[Pin]:
    """Read one of the project's locks."""
    return read_lock((ROOT / name).read_text(encoding="utf-8"))


def snapshot() -> dict[str, Needs]:
    """Read what each pin needs, of all systems and Pythons, as ``make pins`` found it."""
    entries = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    return {pin: Needs(entry["python"], tuple(entry["requires"])) for pin, entry in entries.items()}


def own_needs() -> Needs:
    """Give what the project itself requires, its extras as any other distribution declares them."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"].items()
    joined = [(entry, " and" if ";" in entry else " ;", extra) for extra, entries in extras for entry in entries]
    optional = [f'{entry}{joint} extra == "{extra}"' for entry, joint, extra in joined]
    return Needs(project["requires-python"], (*project["dependencies"], *optional))


def backend() -> list[str]:
    """Give what building the project requires, an editable install included."""
    entries: list[str] = PROJECT["build-system"]["requires"] + PROJECT["dependency-groups"]["build"]
    return entries


def environments() -> Iterator[dict[str, str]]:
    """Give every environment that the project claims to run in, with the first and a late patch of each Python."""
    for python, patch, system in product(PYTHONS, PATCHES, SYSTEMS.values()):
        platform, name, kind, machine = system
        yield {
            "implementation_name": "cpython",
            "implementation_version": f"{python}.{patch}",
            "os_name": kind,
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": name,
            "platform_version": "",
            "python_full_version": f"{python}.{patch}",
            "python_version": python,
            "sys_platform": platform,
        }


def applies(marker: Marker | None, environment: dict[str, str], extras: Iterable[str] = ()) -> bool:
    """Say whether a marker holds, for the distribution alone or with one of its extras."""
    return marker is None or any(marker.evaluate(environment | {"extra": extra}) for extra in ("", *extras))


def extras_asked(requirements: Iterable[str]) -> set[str]:
    """Give the extras that the project, or what is listed here, asks of others' distributions."""
    entries = map(Requirement, (*requirements, *own_needs().requires))
    return {extra for entry in entries if entry.name != PROJECT["project"]["name"] for extra in entry.extras}


def in_use(requirements: Iterable[str], extras: set[str]) -> list[str]:
    """Leave out the requirements of extras that nothing asks for, and of systems that are not claimed."""
    claimed = list(environments())
    return [entry for entry in requirements if any(applies(Requirement(entry).marker, e, extras) for e in claimed)]


def faults(pins: list[Pin], needs: dict[str, Needs], root: str, environment: dict[str, str]) -> Iterator[str]:
    """Walk from the project through all that is required, and tell what the lock lacks, repeats or does not need."""
    own = Requirement(root).name
    here = {own: Pin(own, PROJECT["project"]["version"], None, ())}
    needs = needs | {str(here[own]): own_needs()}
    for pin in pins:
        if applies(pin.marker, environment):
            if pin.name in here:
                yield f"{pin.name} is pinned twice"
            here[pin.name] = pin
            if not SpecifierSet(needs[str(pin)].python).contains(environment["python_full_version"]):
                yield f"{pin} does not run on this Python"
    seen: dict[str, set[str]] = {}
    todo = [("the project", Requirement(entry)) for entry in (root, *backend())]
    while todo:
        asker, requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        found = here.get(name)
        if found is None or not requirement.specifier.contains(found.version, prereleases=True):
            yield f"{asker} requires {name} {requirement.specifier}; the lock has {found.version if found else 'none'}"
            continue
        extras = requirement.extras | {""}
        if extras <= seen.get(name, set()):
            continue
        seen[name] = seen.get(name, set()) | extras
        asked = map(Requirement, needs[str(found)].requires)
        todo += [(str(found), entry) for entry in asked if applies(entry.marker, environment, extras)]
    yield from (f"nothing requires {name}" for name in here if name not in seen)
