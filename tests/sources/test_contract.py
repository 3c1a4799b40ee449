"""What every member of ``sources/`` keeps, those included that are added later."""

from __future__ import annotations

import inspect
from importlib import resources

import pytest

from eventstudy import _registry
from eventstudy.errors import InputError
from eventstudy.prices import Source

NAMES = _registry.names("sources", plugins=False)


def read_with(name: str, tickers: object, start: object = None, end: object = None) -> object:
    """Call ``read``; an option without a default is given something that no source can take."""
    read = _registry.load("sources", name).read
    needed = {
        p.name: object()
        for p in inspect.signature(read).parameters.values()
        if p.kind is p.KEYWORD_ONLY and p.default is p.empty
    }
    return read(tickers, start, end, **needed)


def test_every_public_file_of_the_folder_is_a_member():
    folder = resources.files("eventstudy") / "sources"
    files = {f.name.removesuffix(".py") for f in folder.iterdir() if f.name.endswith(".py")}
    assert {name for name in files if not name.startswith("_")} == set(NAMES)
    assert {"folder", "frame", "yahoo", "simulated"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_source_has_read_and_says_what_it_does(name):
    source = _registry.load("sources", name)
    assert isinstance(source, Source)
    assert _registry.summaries("sources")[name].endswith(".")
    assert inspect.getdoc(type(source))
    for section in ("Parameters\n----", "Raises\n----", "Examples\n----"):
        assert section in (inspect.getdoc(source.read) or "")


@pytest.mark.parametrize("name", NAMES)
def test_read_takes_tickers_and_range_and_its_options_by_keyword(name):
    parameters = list(inspect.signature(_registry.load("sources", name).read).parameters.values())
    assert [p.name for p in parameters[:3]] == ["tickers", "start", "end"]
    assert all(p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD) for p in parameters[3:])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ticker", ["../BABA", "BABA?x=1", "baba", "", "A/B", "BABA\n", "٣", "A" * 21, 700, None])
def test_a_bad_ticker_is_refused_before_anything_is_touched(name, ticker):
    with pytest.raises(InputError, match="ticker"):
        read_with(name, ["BABA", ticker])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("tickers", "start", "end", "says"),
    [
        ("BABA", None, None, "give a list"),
        ([], None, None, "empty"),
        (["BABA"], "03/11/2020", None, "start is '03/11/2020'"),
        (["BABA"], "2020-02-30", None, "2020-02-30"),
        (["BABA"], "20200103", None, "20200103"),
        (["BABA"], None, 20200103, "end is 20200103"),
        (["BABA"], "2020-02-03", "2020-02-02", "swap"),
    ],
)
def test_a_bad_argument_is_named(name, tickers, start, end, says):
    with pytest.raises(InputError, match=says):
        read_with(name, tickers, start, end)
