"""A small part of `make fuzz`, with fixed seeds."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.fuzz.doors import NAMES, Doors
from tests.fuzz.harness import Hang, attempt

FIRST, ALL = 8, 40  # tries in `make quick`, and in `make test`
SEEDS = [range(FIRST), pytest.param(range(FIRST, ALL), marks=pytest.mark.thorough)]


@pytest.fixture(scope="module")
def doors() -> Iterator[Doors]:
    """The doors, with a folder that is removed."""
    made = Doors()
    yield made
    made.close()


@pytest.mark.parametrize("seeds", SEEDS, ids=["some", "more"])
@pytest.mark.parametrize("name", NAMES)
def test_broken_input_is_refused_in_the_librarys_own_words(name: str, seeds: range, doors: Doors) -> None:
    door = doors.all()[name]
    outcomes = [attempt(door, Random(seed)) for seed in seeds]
    assert {fault for fault, _ in outcomes} == {""}


def test_what_may_not_come_back_is_found() -> None:
    def foreign(_: Random) -> object:
        raise KeyError("x")

    def hangs(_: Random) -> object:
        raise Hang

    assert attempt(foreign, Random(0))[0].startswith("KeyError at ")
    assert attempt(hangs, Random(0))[0] == "no answer in 5 s"
    assert attempt(lambda _: 1, Random(0)) == ("", False)
    assert "price_file" in NAMES
    assert len(NAMES) > 20
