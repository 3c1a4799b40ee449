"""Nothing that is read is run as code: no module unpickles, evaluates or executes, but where it is listed and why."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "eventstudy"
# Modules whose readers run what they read, whole or by some function, and what may be used of them.
MODULES: dict[str, set[str]] = {
    "pickle": {"dumps", "PicklingError"}, "marshal": set(), "shelve": set(), "joblib": set(), "dill": set(),
    "cloudpickle": set(), "yaml": set(), "code": set(), "runpy": set(), "ctypes": set(),
}  # fmt: skip
CALLS = {
    "eval", "exec", "compile", "execfile", "__import__", "import_module", "read_pickle", "unpickle", "loads_pickle",
    "system", "popen", "Popen", "run", "check_output", "call", "from_formula",
}  # fmt: skip
# Each use, by file: what is called, and why no foreign text gets there.
ALLOWED = {
    ("_registry.py", "import_module"): "a member's name, of the folder's files or of what is installed",
    ("cli/_main.py", "import_module"): "a command's name, from the folder's files",
    ("analysis/formulas.py", "from_formula"): "a formula that column_names has checked, part by part",
    ("analysis/multiverse_choices.py", "eval"): "a query that _only_reads has checked, part by part",
    ("reports/pdf.py", "run"): "a browser that was found on the path, its arguments a list, without a shell",
    ("core/memory.py", "CDLL"): "the C library of the process itself",
}  # fmt: skip
OWN = {"run", "call"}  # names of functions of the library too, and re has a compile


def uses(tree: ast.Module) -> Iterator[str]:
    """Yield what a module uses that could run a text or a file, by its name."""
    risky = {*MODULES, "subprocess", "os"}
    imported = {
        (alias.asname or alias.name).partition(".")[0]: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name.partition(".")[0] in risky
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in MODULES:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported:
            of = imported[node.value.id]
            if node.attr not in MODULES[of] if of in MODULES else node.attr in CALLS:
                yield node.attr
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in CALLS - (OWN if isinstance(node.func, ast.Name) else OWN | {"compile"}):
                yield name
            if any(keyword.arg == "allow_pickle" and not _is_false(keyword.value) for keyword in node.keywords):
                yield "allow_pickle"
            if any(keyword.arg == "shell" and not _is_false(keyword.value) for keyword in node.keywords):
                yield "shell"


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def test_no_module_runs_what_it_reads() -> None:
    found = defaultdict(set)
    for file in SOURCE.rglob("*.py"):
        for name in uses(ast.parse(file.read_text(encoding="utf-8"))):
            found[(file.relative_to(SOURCE).as_posix(), name)].add(name)
    assert set(found) == set(ALLOWED)


@pytest.mark.parametrize(
    "text",
    [
        "import pickle\npickle.loads(x)", "from pickle import loads", "import pickle as p\np.Unpickler(x).load()",
        "import pandas as pd\npd.read_pickle(x)", "import numpy as np\nnp.load(x, allow_pickle=True)",
        "np.load(x, allow_pickle=flag)", "import joblib\njoblib.load(x)", "from shelve import open", "eval(x)",
        "exec(x)",
        "import yaml\nyaml.safe_load(x)", "import marshal\nmarshal.loads(x)", "frame.eval(x)", "compile(x, '', 'exec')",
        "import os\nos.system(x)", "import subprocess\nsubprocess.run(x)", "start(x, shell=True)", "__import__(x)",
        "def f():\n    from cloudpickle import loads",
    ],
)  # fmt: skip
def test_each_way_of_running_a_text_or_a_file_is_found(text: str) -> None:
    assert list(uses(ast.parse(text)))


@pytest.mark.parametrize(
    "text", ["study.run(x)", "re.compile(x)", "np.load(x, allow_pickle=False)", "pickle.dumps(x)", "json.loads(x)"]
)
def test_what_runs_nothing_is_not_named(text: str) -> None:
    assert not list(uses(ast.parse(f"import pickle\n{text}")))


def test_templates_escape_what_they_are_given() -> None:
    """The pages are made by one environment, with escaping; what is marked as safe is written by the library."""
    makers = [file for file in SOURCE.rglob("*.py") if "Environment(" in file.read_text(encoding="utf-8")]
    assert makers
    for file in makers:
        calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        made = [call for call in calls if getattr(call.func, "attr", getattr(call.func, "id", "")) == "Environment"]
        for call in made:
            [escaping] = [keyword.value for keyword in call.keywords if keyword.arg == "autoescape"]
            assert isinstance(escaping, ast.Constant)
            assert escaping.value is True
