"""The words of a figure have the numbers of the frames."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eventstudy import _registry
from eventstudy.display import formats
from eventstudy.display.measure import measure_of
from eventstudy.errors import InputError
from eventstudy.plots._alt import alt_text
from tests.reports.fake import NOTE, VARIANTS, fake

KINDS = _registry.names("plots", plugins=False)
pytestmark = [pytest.mark.contract("kind")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_figure_has_words_of_its_own_with_the_note_on_the_prices(kind, variant):
    text = alt_text(kind, VARIANTS[variant]())
    assert text.endswith(f". {NOTE}." if variant != "real_prices" else ".")
    assert 20 < len(text) < 600
    assert text == formats.plain(text)
    assert not text.lower().startswith("draw ")
    assert "nan" not in text.lower().split()


def test_the_words_of_the_average_path_are_the_numbers_of_daily():
    result = fake()
    daily, percent = result.daily, formats.percent
    for day in (-1, 0):
        assert f"{percent(daily['caar'][day])} on day {formats.count(day)}" in alt_text("caar", result)
    last = daily.loc[10]
    end = f"{percent(last['caar'])} [{percent(last['lower'])}, {percent(last['upper'])}] on day 10"
    assert end in alt_text("caar", result)


def test_the_words_of_signed_averages_say_so():
    result = fake()
    signed = replace(result, measure=measure_of(sign="expected"))
    assert alt_text("aar", signed).startswith("Bar chart of the average signed abnormal return by session: ")
    assert "signed" not in alt_text("aar", result)


def test_an_unknown_figure_is_refused():
    with pytest.raises(InputError, match="did you mean 'caar'"):
        alt_text("carr", fake())
