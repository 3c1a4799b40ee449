"""What a referee asks for, in twelve lines of a user's code, as a paper that compiles."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pypdf
import pytest

from eventstudy import demo
from tests.reports.browser import program
from tests.tables.material import ENGINES, study

PAPER = r"""%s\usepackage{graphicx,booktabs,array,siunitx,threeparttable,longtable,rotating,pdflscape}
\begin{document}
%s
\end{document}
"""
CODE = """
study = es.Study(benchmark=demo.BENCHMARK, sign="expected_sign", group="sector", tests=TESTS, windows=WINDOWS)
result = study.run(events, prices)
formulas = ["car ~ C(sector)", "car ~ beta", "car ~ beta + C(sector) + priority"]
options = {"regressions": {"formulas": formulas}}
for kind in ("attrition", "aar", "caar", "groups", "regressions", "events"):
    Path(kind + ".tex").write_text(result.table(kind, **options.get(kind, {})).to_latex())
result.plot("caar").figure.savefig("caar.pdf")
"""


def test_it_takes_at_most_twelve_lines() -> None:
    assert len(CODE.strip().splitlines()) <= 12


@pytest.mark.full
@pytest.mark.parametrize("engine", ["pdflatex", pytest.param("lualatex", marks=pytest.mark.slow)])
def test_the_paper_compiles(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [program(engine), "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    import eventstudy as es
    from tests.tables.material import TESTS, WINDOWS

    monkeypatch.chdir(tmp_path)
    data = study().rerun.data
    names = {"es": es, "demo": demo, "Path": Path, "TESTS": TESTS, "WINDOWS": WINDOWS}
    exec(CODE, names | {"events": data.events, "prices": data.prices})
    inputs = [rf"\input{{{file.stem}}}" for file in sorted(tmp_path.glob("*.tex"))]
    inputs.append(r"\noindent\includegraphics[width=\linewidth]{caar.pdf}")
    (tmp_path / "paper.tex").write_text(PAPER % (ENGINES[engine], "\n".join(inputs)), encoding="utf-8")
    for draft in (["-draftmode"], []):
        done = subprocess.run([*command[:-1], *draft, command[-1]], capture_output=True, check=False)
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-3000:]
    log = (tmp_path / "paper.log").read_text(encoding="utf-8", errors="replace")
    assert [size for size in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log) if float(size) > 1] == []
    said = "".join(page.extract_text() for page in pypdf.PdfReader(tmp_path / "paper.pdf").pages)
    for words in ("Sample selection", "Positive", "Kolari-", "gaming", "Constant", "Corrado", "CR2"):
        assert words in said
    assert len(re.findall(r"Table \d+:", said)) == 6
