"""The code is laid out as ``docs/architecture.md`` says: files, import direction, libraries, sizes."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from eventstudy import _registry

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "eventstudy"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FILES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
FOLDERS = sorted(_registry.CONTRACTS)
# What the page may not loosen: the arithmetic knows nothing of the rest, and no member knows its user.
ARITHMETIC = {
    "core": {"errors", "types"},
    "models": {"core", "errors", "types"},
    "inference": {"core", "errors", "types"},
}
ESTIMATORS = {"statsmodels", "arch", "sklearn"}  # of some models, which import them when they fit
NUMERICS = {
    "core": {"numpy", "scipy"},
    "models": {"numpy", "scipy"} | ESTIMATORS,
    "inference": {"numpy", "scipy", "statsmodels"},
}
EDGE = {"matplotlib": {"plots"}, "jinja2": {"reports"}, "yfinance": {"sources"}, "exchange_calendars": {"_calendars"}}
HEAVY = ("matplotlib", "statsmodels", "arch", "sklearn", "scipy", "yfinance", "exchange_calendars", "jinja2")


def module(file: Path) -> str:
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(file): file for file in FILES}


def place(name: str) -> str:
    """Give the folder of a module, or the module itself where it lies in none."""
    return name.split(".")[0]


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imports(node: ast.AST, typing: bool) -> Iterator[str]:
    """Give every imported name, with its module, deferred ones too; those for type checking alone where wanted."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test) and not typing:
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"line {child.lineno}: a relative import; write it from eventstudy on"
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        else:
            yield from imports(child, typing)


@cache
def own_imports(file: Path) -> set[str]:
    """Give the modules of the library that a file imports."""
    found = set()
    for name in imports(tree(file), typing=True):
        if name.split(".")[0] == "eventstudy":
            parts = name.split(".")[1:]
            found.add(next(m for n in range(len(parts), -1, -1) if (m := ".".join(parts[:n]) or "__init__") in MODULES))
    return found


@cache
def foreign_imports(file: Path) -> set[str]:
    """Give the libraries of others that a file imports when it runs."""
    names = {name.split(".")[0] for name in imports(tree(file), typing=False)}
    return names - set(sys.stdlib_module_names) - {"eventstudy"}


def block(heading: str, number: int = 0) -> list[str]:
    """Give the lines of a fenced block under a heading of the page."""
    section = re.split(r"^## ", PAGE.split(f"## {heading}\n")[1], flags=re.MULTILINE)[0]
    blocks: list[str] = re.findall(r"```text\n(.*?)```", section, re.DOTALL)
    return blocks[number].splitlines()


def listed(number: int) -> dict[str, set[str]]:
    text = "\n".join(block("Who may import whom", number)).replace("\n  ", " ")
    return {name: set(rest.split()) for name, _, rest in (line.partition(":") for line in text.splitlines())}


def layout() -> set[str]:
    """Give the paths that the page's layout names."""
    paths, folder = set(), ""
    for line in block("Layout")[1:]:
        name = line.split()[0]
        depth = len(line) - len(line.lstrip())
        if name.endswith("/"):
            folder = name
        paths.add(name if depth == 2 else folder + name)
    return paths


def test_every_file_stands_in_the_layout_and_nothing_else():
    members = {f"{folder}/{name}.py" for folder in FOLDERS for name in _registry.names(folder, plugins=False)}
    here = {re.sub(r"/__init__\.py$", "/", file.relative_to(PACKAGE).as_posix()) for file in FILES} - members
    named = {path for path in layout() if path.endswith(".py") or (PACKAGE / path / "__init__.py").is_file()}
    assert named == here
    assert [path for path in layout() if not (PACKAGE / path).exists()] == []


@pytest.mark.thorough
def test_imports_go_in_the_direction_of_the_page():
    actual: dict[str, set[str]] = {place(name): set() for name in MODULES}
    for name, file in MODULES.items():
        actual[place(name)] |= {place(other) for other in own_imports(file)} - {place(name)}
    assert actual == listed(0)


def test_the_arithmetic_imports_nothing_but_itself_and_numerics():
    for file in FILES:
        where = place(module(file))
        if where in ARITHMETIC:
            assert {place(m) for m in own_imports(file)} <= ARITHMETIC[where] | {where}, file.name
            assert foreign_imports(file) <= NUMERICS[where], file.name


@pytest.mark.thorough
def test_libraries_are_imported_where_the_page_allows():
    actual: dict[str, set[str]] = {}
    for name, file in MODULES.items():
        for library in foreign_imports(file):
            actual.setdefault(library, set()).add(place(name))
    named = listed(1)
    assert named.pop("numpy") == {"anywhere"}
    assert actual.pop("numpy")
    assert actual == named
    for library, allowed in EDGE.items():
        assert actual[library] <= allowed


@pytest.mark.thorough
def test_every_library_is_a_declared_dependency():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[^\w-]", entry)[0].replace("-", "_").lower() for entry in project["dependencies"]}
    extras = {name for extra in project["optional-dependencies"].values() for name in extra}
    optional = {re.split(r"[^\w-]", entry)[0].replace("-", "_").lower() for entry in extras}
    used = set().union(*map(foreign_imports, FILES))
    imported_as = {"scikit_learn": "sklearn", "python_docx": "docx"}
    assert used <= declared | {imported_as.get(name, name) for name in optional}


@pytest.mark.parametrize("folder", FOLDERS)
def test_members_import_no_sibling(folder):
    for name in _registry.names(folder, plugins=False):
        siblings = {m for m in own_imports(MODULES[f"{folder}.{name}"]) if place(m) == folder}
        assert {m for m in siblings if not m.startswith(f"{folder}._")} == set(), name


def is_for_pytest_alone(name: str) -> bool:
    return any(part == "conftest" or part.startswith("test_") for part in name.split("."))


def test_no_test_module_is_imported_by_another():
    """What tests share lies in ``tests/make.py`` or in a plain module beside them."""
    assert is_for_pytest_alone("tests.core.test_nist.agree")
    assert not is_for_pytest_alone("tests.make.case")
    found: dict[str, set[str]] = {}
    for file in [*TESTS, *(ROOT / "benchmarks").glob("*.py")]:
        lines = re.findall(
            r"^ *(?:from|import) +(tests\b[\w.]*)(?: +import +(.+))?", file.read_text("utf-8"), re.MULTILINE
        )
        found[file.name] = {f"{module}.{name.strip()}" for module, names in lines for name in names.split(",")}
    assert "tests.make" in {name.rstrip(".") for name in found["sizes.py"]}
    assert {file: wrong for file, names in found.items() if (wrong := set(filter(is_for_pytest_alone, names)))} == {}


@pytest.mark.thorough
def test_no_import_cycle():
    graph = {name: own_imports(file) - {name} for name, file in MODULES.items()}
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the cycle
    assert set(order) >= set(MODULES)


def test_files_are_short():
    sizes = {module(file): len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    assert {name: size for name, size in sizes.items() if size > 400} == {}
    assert statistics.median(sizes.values()) <= 150


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines without its docstring."""
    first = function.body[0]
    doc = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    spent = (first.end_lineno or 0) - first.lineno + 1 if doc else 0
    return (function.end_lineno or 0) - function.lineno + 1 - spent


@pytest.mark.thorough
def test_functions_are_short():
    long = {
        f"{module(file)}.{node.name}": body_lines(node)
        for file in FILES
        for node in ast.walk(tree(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and body_lines(node) > 60
    }
    assert long == {}


def test_importing_the_library_is_light():
    code = f"import sys, eventstudy; print([m for m in {HEAVY!r} if m in sys.modules])"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"
