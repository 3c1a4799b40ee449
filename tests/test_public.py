"""The public names: exactly these, each with its docstring, and the tree of errors as it is written."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys

import pytest

import eventstudy as es
from eventstudy import _registry, errors
from tests import surface

LISTED = surface.LISTING.read_text(encoding="utf-8").splitlines()[1:]
PUBLIC = sorted({found[1] for line in LISTED if (found := re.match(r"eventstudy\.(\w+)\b(?!\.)(?<!transform)", line))})


@pytest.mark.thorough
def test_the_public_surface_is_the_one_that_is_listed():
    """A name, a parameter, a default, a column or an option that changes is a line of CHANGELOG.md, and of the list."""
    now = surface.lines()
    assert [line for line in LISTED if line not in now] == [], "gone, or changed"
    assert [line for line in now if line not in LISTED] == [], "new, or changed: python -m tests.surface"
    assert now == LISTED


def test_public_names_are_exactly_these():
    assert sorted(es.__all__) == PUBLIC
    assert len(set(es.__all__)) == len(es.__all__)


def test_an_editor_is_offered_the_public_names_only():
    assert set(dir(es)) == {*PUBLIC, "transform"}
    assert all(hasattr(es, name) for name in dir(es))


@pytest.mark.parametrize("name", PUBLIC)
def test_public_object_says_what_it_is(name):
    thing = getattr(es, name)
    assert thing.__name__ == name
    assert thing.__module__.startswith("eventstudy.")
    assert getattr(sys.modules[thing.__module__], name) is thing
    doc = inspect.getdoc(thing) or ""
    assert re.fullmatch(r"[A-Z].*[.]", doc.splitlines()[0])


@pytest.mark.parametrize("name", [name for name in PUBLIC if not isinstance(getattr(es, name), type)])
def test_public_function_documents_its_parameters(name):
    parameters = inspect.signature(getattr(es, name)).parameters
    doc = inspect.getdoc(getattr(es, name)) or ""
    section = doc.partition("Parameters\n----------\n")[2].partition("\n\nR")[0]
    heads = [line.partition(" : ")[0] for line in section.splitlines() if line and not line.startswith(" ")]
    assert {word.strip(" *") for head in heads for word in head.split(",")} == set(parameters)


@pytest.mark.parametrize("folder", sorted(_registry.CONTRACTS))
def test_every_member_has_a_line_that_says_what_it_is(folder):
    lines = _registry.summaries(folder, plugins=False)
    assert set(lines) == set(_registry.names(folder, plugins=False))
    assert [name for name, line in lines.items() if not re.fullmatch(r".+[.:]", line)] == []


def test_models_and_tests_are_functions_before_and_after_members_are_loaded():
    code = (
        "import eventstudy as es; before = es.models(), es.tests(); es.Study(tests='all');"
        "es.model('dimson'); print(before == (es.models(), es.tests()))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert made.stdout.strip() == "True", made.stderr


def tree() -> dict[str, tuple[str, ...]]:
    """Read the tree in the docstring of ``errors``: name to the names it is written to derive from."""
    found: dict[str, tuple[str, ...]] = {}
    parents: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.fullmatch(r"    (?P<bars>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: \((?P<other>\w+)\))?(?:  .*)?", line)
        if match:
            depth = len(match["bars"]) // 4
            above = (parents[depth - 1],) if depth else ()
            parents = [*parents[:depth], match["name"]]
            found[match["name"]] = (*above, *filter(None, [match["other"]]))
    return found


def test_errors_are_the_tree_of_their_docstring():
    classes = {n: c for n, c in vars(errors).items() if isinstance(c, type) and issubclass(c, Exception)}
    assert set(tree()) == set(classes)
    for name, bases in tree().items():
        assert set(bases or ("Exception",)) <= {b.__name__ for b in classes[name].__bases__}, name
    assert issubclass(es.EventStudyWarning, UserWarning)
    assert set(classes) <= set(es.__all__)
