"""Each lock is complete: on every system and Python that is claimed, it has what each of its pins requires."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.metadata import distributions

import pytest
from packaging.utils import canonicalize_name

from tests.install.locks import (
    LOCKS,
    PROJECT,
    ROOT,
    SNAPSHOT,
    Needs,
    Pin,
    applies,
    environments,
    extras_asked,
    faults,
    in_use,
    lock,
    read_lock,
    snapshot,
)

ENVIRONMENTS = {f"{e['sys_platform']}-{e['platform_machine']}-{e['python_full_version']}": e for e in environments()}
LINUX = ENVIRONMENTS["linux-x86_64-3.11.99"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_what_its_pins_require_and_no_more(name, environment):
    assert list(faults(lock(name), snapshot(), LOCKS[name], ENVIRONMENTS[environment])) == []


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["requirements.txt", pytest.param("requirements-dev.txt", marks=pytest.mark.full)])
def test_a_lock_without_one_of_its_pins_is_refused(name):
    pins = [pin for pin in lock(name) if applies(pin.marker, LINUX)]
    assert len(pins) > 40
    for gone in pins:
        rest = [pin for pin in pins if pin != gone]
        assert any(f"requires {gone.name}" in line for line in faults(rest, snapshot(), LOCKS[name], LINUX)), gone


def changed(pins: list[Pin], name: str, **fields: object) -> list[Pin]:
    return [replace(pin, **fields) if pin.name == name else pin for pin in pins]


def test_a_pin_too_old_too_often_or_for_nothing_is_refused():
    name, root = next(iter(LOCKS.items()))
    pins, needs = lock(name), snapshot()
    old = needs | {"numpy==1.0": Needs("", ())}
    assert any("requires numpy >=2" in line for line in faults(changed(pins, "numpy", version="1.0"), old, root, LINUX))
    again = [pin for pin in pins if pin.name == "jinja2"]
    assert list(faults([*pins, *again], needs, root, LINUX)) == ["jinja2 is pinned twice"]
    other = [*pins, Pin("left-pad", "1.3", None, ())]
    assert list(faults(other, needs | {"left-pad==1.3": Needs("", ())}, root, LINUX)) == ["nothing requires left-pad"]
    young = needs | {"jinja2==3.1.6": replace(needs["jinja2==3.1.6"], python=">=3.14")}
    assert list(faults(pins, young, root, LINUX)) == ["jinja2==3.1.6 does not run on this Python"]


def test_the_requirements_of_extras_are_followed():
    """What rotted once: an extra that one pin asks of another, resolved anew at each install."""
    pins = [pin for pin in lock("requirements-dev.txt") if applies(pin.marker, LINUX)]
    [coverage] = [str(pin) for pin in pins if pin.name == "coverage"]
    needs = snapshot() | {coverage: Needs("", ('tomli>=2; extra == "toml"',))}
    found = list(faults(pins, needs, LOCKS["requirements-dev.txt"], LINUX))
    assert found == [f"{coverage} requires tomli >=2; the lock has none"]


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_hashes_and_no_address(name):
    assert [str(pin) for pin in lock(name) if not pin.hashes] == []
    assert not re.search(r"://|^-", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    assert "://" not in SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize("line", ["numpy>=2", "numpy", "numpy @ file:///numpy.whl", "--index-url x", "-e ."])
def test_a_line_that_is_not_a_pin_is_refused(line):
    with pytest.raises(ValueError, match="not a pin"):
        read_lock(f"jinja2==3.1.6\n{line}\n")


def test_the_locks_agree():
    runtime, dev = (set(map(str, lock(name))) for name in LOCKS)
    assert runtime < dev


def test_the_backend_is_locked_as_it_is_declared():
    assert set(PROJECT["build-system"]["requires"]) <= set(PROJECT["dependency-groups"]["build"])
    assert {"hatchling", "editables"} <= {pin.name for pin in lock("requirements.txt")}


def test_the_snapshot_has_each_pin_of_a_claimed_system():
    pins = [pin for name in LOCKS for pin in lock(name) if any(applies(pin.marker, e) for e in ENVIRONMENTS.values())]
    assert set(snapshot()) == set(map(str, pins))


@pytest.mark.thorough
def test_the_snapshot_says_what_the_installed_say():
    needs = snapshot()
    extras = extras_asked(requirement for entry in needs.values() for requirement in entry.requires)
    installed = {f"{canonicalize_name(d.name)}=={d.version}": d for d in distributions()}
    shared = sorted(installed.keys() & needs.keys())
    assert shared
    for pin in shared:
        says = installed[pin]
        assert needs[pin] == Needs(
            says.metadata.json.get("requires_python", ""), tuple(in_use(says.requires or (), extras))
        )
