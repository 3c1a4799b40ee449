"""What the project says of itself is said once, or the same everywhere: version, Pythons, home, commands."""

from __future__ import annotations

import re
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import yaml
from packaging.specifiers import SpecifierSet

from tests.install.locks import PROJECT, PYTHONS, ROOT

ABOUT: dict[str, Any] = PROJECT["project"]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


MAKE = set(" ".join(re.findall(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE)).split())
WORKFLOW = yaml.safe_load(read(".github/workflows/test.yml"))
CITATION = yaml.safe_load(read("CITATION.cff"))
CHANGES = read("CHANGELOG.md")
RELEASES = re.findall(r"^## \[(\d.*)\] - (\d{4}-\d\d-\d\d)$", CHANGES, re.MULTILINE)


def commands(lines: list[str]) -> list[str]:
    """Give the targets that lines of the form `make target` call; any other line is refused."""
    found = [re.fullmatch(r"make (\w[\w-]*)", line) for line in lines]
    assert all(found), lines
    return [match[1] for match in found if match]


def test_the_version_is_that_of_the_project_everywhere():
    assert version("eventstudy-quant") == ABOUT["version"] == CITATION["version"] == RELEASES[0][0]


def test_every_version_is_dated_and_newer_than_the_next():
    headings = re.findall(r"^## (.*)$", CHANGES, re.MULTILINE)
    assert headings == ["[Unreleased]", *(f"[{number}] - {date}" for number, date in RELEASES)]
    assert all(later > earlier for (_, later), (_, earlier) in pairwise(RELEASES))
    assert str(CITATION["date-released"]) == RELEASES[0][1]


def test_changes_stand_under_the_headings_that_contributing_names():
    headings = re.findall(r"^### (.*)$", CHANGES, re.MULTILINE)
    assert set(headings) <= {"Added", "Changed", "Numbers", "Deprecated", "Removed", "Fixed", "Security"}
    rules = read("CONTRIBUTING.md").split("## What is public")[1].split("\n## ")[0]
    assert all(f'"{name}"' in rules for name in ("Numbers", "Deprecated"))
    deprecated = re.findall(r"^### Deprecated\n(.*?)^##", CHANGES, re.MULTILINE | re.DOTALL)
    lines = [line for part in deprecated for line in re.split(r"^- ", part, flags=re.MULTILINE)[1:]]
    assert all(re.search(r"removed in \d+\.\d+", line) for line in lines)


def test_the_home_of_the_project_is_one_place():
    home = ABOUT["urls"]["Repository"]
    assert CITATION["repository-code"] == home
    assert all(address.startswith(home) for address in ABOUT["urls"].values())
    links = dict(re.findall(r"^\[(.*)\]: (.*)$", CHANGES, re.MULTILINE))
    numbers = [number for number, _ in RELEASES]
    assert links == {"Unreleased": f"{home}/compare/v{numbers[0]}...HEAD"} | {
        number: f"{home}/compare/v{earlier}...v{number}" for number, earlier in pairwise(numbers)
    } | {numbers[-1]: f"{home}/releases/tag/v{numbers[-1]}"}
    assert CITATION["license"] == ABOUT["license"]


def test_the_claimed_pythons_are_those_of_the_workflow():
    assert WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"] == PYTHONS
    minors = [f"3.{minor}" for minor in range(int(PYTHONS[-1].split(".")[1]) + 1)]
    assert [minor for minor in minors if SpecifierSet(ABOUT["requires-python"]).contains(minor)] == PYTHONS
    assert f"--python-version {PYTHONS[0]} " in read("Makefile")  # what the locks hold for
    assert f"--python {PYTHONS[0]} " in read("Makefile")  # what the oldest versions are tried on


def test_the_workflow_calls_make_and_nothing_else():
    job = WORKFLOW["jobs"]["test"]
    assert len(job["strategy"]["matrix"]["system"]) == 3
    called = commands([step["run"] for step in job["steps"] if "run" in step])
    assert called == ["demo", "check", "full"]
    assert set(called) <= MAKE
    assert all(step["uses"].startswith("actions/") for step in job["steps"] if "run" not in step)


def test_the_locks_are_audited_every_week():
    workflow = yaml.safe_load(read(".github/workflows/audit.yml"))
    [job] = workflow["jobs"].values()
    assert commands([step["run"] for step in job["steps"] if "run" in step]) == ["audit"]
    [when] = workflow[True]["schedule"]  # YAML takes the key `on` for a truth value
    assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", when["cron"])
    assert workflow["permissions"] == WORKFLOW["permissions"] == {"contents": "read"}
    assert "audit" in MAKE


def test_the_hooks_call_make_check():
    [repository] = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert repository["repo"] == "local"
    assert commands([hook["entry"] for hook in repository["hooks"]]) == ["check"]
    assert "check" in MAKE


def test_continuous_integration_runs_the_commands_of_the_readme():
    block = read("README.md").split("```sh\n")[1].split("```")[0]
    named = commands([line.split("#")[0].strip() for line in block.splitlines()])
    assert re.findall(r"^run (\w+)", read(".ci/run"), re.MULTILINE) == named
    assert set(named) <= MAKE


def test_every_target_that_contributing_names_exists():
    named = re.findall(r"\bmake ([\w-]+)", read("CONTRIBUTING.md").split("## Add a member")[0])
    assert {"test", "check", "test-lowest", "test-newest", "pins"} <= set(named) <= MAKE
