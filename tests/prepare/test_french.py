"""Files of Kenneth French's library are read as published; what is not certain to be one is refused."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import InputError
from eventstudy.prepare.french import read_french

DAILY = """This file was created by CMPT_ME_BEME_RETS_DAILY using the 202604 CRSP database.
The Tbill return is the simple daily rate that, over the number of trading days
in the month, compounds to 1-month TBill rate from Ibbotson and Associates, Inc.

,Mkt-RF,SMB,HML,RF
20221228,   -1.23,   -0.28,   -0.27,   0.016
20221229,    1.87,    1.26,   -1.06,   0.016
20221230,   -0.22,  -99.99,   -0.04,   0.016

Copyright 2026 Eugene F. Fama and Kenneth R. French
"""
MONTHLY = """This file was created by CMPT_ME_BEME_RETS using the 202604 CRSP database.
The 1-month TBill return is from Ibbotson and Associates, Inc.

,Mkt-RF,SMB,HML,RF
202401,    0.70,   -5.09,   -2.38,    0.47
202402,    5.06,   -0.24,   -3.49,    0.42
202403,    2.83,   -2.49,    4.19,    -999

 Annual Factors: January-December
,Mkt-RF,SMB,HML,RF
  2023,   21.70,   -3.22,  -13.60,    4.95
  2024,   99.00,   99.00,   99.00,   99.00

Copyright 2026 Eugene F. Fama and Kenneth R. French
"""
MOMENTUM = """This file was created by using the 202604 CRSP database.  It,,
contains a momentum factor, constructed from six value-weight portfolios formed,
on size and prior (2-12) returns.,,
,,
Missing data are indicated by -99.99 or -999.,,
,,
,Mom   ,
20221227,    0.11,
20221229,   -2.80,
20221230,   -0.27,

"""
PORTFOLIOS = """This file was created by CMPT_ME_RETS using the 202604 CRSP database.

  Average Value Weighted Returns -- Monthly
,<= 0,Lo 30,Med 40
202401,  -99.99,    0.70,   -5.09
202402,  -99.99,    5.06,   -0.24

  Average Equal Weighted Returns -- Monthly
,<= 0,Lo 30,Med 40
202401,   77.00,   77.00,   77.00

  Number of Firms in Portfolios
,<= 0,Lo 30,Med 40
202401,       0,     700,     500

Copyright 2026 Eugene F. Fama and Kenneth R. French
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Write a file; a zip holds the text under the given names."""

    def make(name: str, text: str, *inside: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        if path.suffix == ".zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for member in inside or ("F-F_Research_Data_Factors_daily.csv",):
                    archive.writestr(member, text)
        else:
            path.write_bytes(text.encode(encoding))
        return path

    return make


def extract(rows: int = 30, scale: float = 1.0, gap: str = "B", names: tuple[str, ...] = ("Mkt-RF", "RF")) -> str:
    """A plain extract with returns of about one per cent."""
    rng = np.random.default_rng(5)
    values = scale * rng.standard_normal((rows, len(names)))
    return str(pd.DataFrame(values, pd.date_range("2020-01-01", periods=rows, freq=gap, name="Date"), names).to_csv())


def refused(*paths: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_french(*paths)
    return str(caught.value)


def test_a_daily_file_as_published(write):
    path = write("F-F_Research_Data_Factors_daily.csv", DAILY.replace("\n", "\r\n"))
    found = read_french(path)
    wanted = pd.DataFrame(
        {
            "Mkt-RF": [-0.0123, 0.0187, -0.0022],
            "SMB": [-0.0028, 0.0126, np.nan],
            "HML": [-0.0027, -0.0106, -0.0004],
            "RF": [0.00016] * 3,
        },
        index=pd.DatetimeIndex(["2022-12-28", "2022-12-29", "2022-12-30"], name="date"),
    )
    pd.testing.assert_frame_equal(found, wanted, rtol=1e-15, check_index_type=False)
    assert found.attrs["source"] == [
        {
            "name": "F-F_Research_Data_Factors_daily.csv",
            "vintage": "202604",
            "frequency": "daily",
            "columns": ["Mkt-RF", "SMB", "HML", "RF"],
            "rows": 3,
            "first": "2022-12-28",
            "last": "2022-12-30",
            "missing": {"Mkt-RF": 0, "SMB": 1, "HML": 0, "RF": 0},
            "not_read": [],
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
    ]
    assert json.loads(json.dumps(found.attrs["source"])) == found.attrs["source"]


def test_a_monthly_file_ends_where_the_annual_factors_begin(write):
    found = read_french(write("F-F_Research_Data_Factors.csv", MONTHLY))
    assert [str(d.date()) for d in found.index] == ["2024-01-31", "2024-02-29", "2024-03-31"]
    np.testing.assert_allclose(found["HML"], [-0.0238, -0.0349, 0.0419], rtol=1e-15)
    np.testing.assert_array_equal(found["RF"].isna(), [False, False, True])
    story = found.attrs["source"][0]
    assert story["frequency"] == "monthly"
    assert story["not_read"] == ["Annual Factors: January-December"]


def test_the_archive_gives_what_its_file_gives(write):
    path = write("F-F_Research_Data_Factors_daily_CSV.zip", DAILY)
    found, wanted = read_french(path), read_french(write("daily.csv", DAILY))
    pd.testing.assert_frame_equal(found, wanted)
    assert found.attrs["source"][0]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.attrs["source"][0]["name"] == "F-F_Research_Data_Factors_daily_CSV.zip"


def test_lines_that_end_in_commas_and_padded_names(write):
    found = read_french(write("F-F_Momentum_Factor_daily.CSV", MOMENTUM))
    assert list(found.columns) == ["Mom"]
    np.testing.assert_allclose(found["Mom"], [0.0011, -0.028, -0.0027], rtol=1e-15)
    assert found.attrs["source"][0]["vintage"] == "202604"


def test_the_first_of_several_tables_is_read_and_the_others_are_named(write):
    found = read_french(write("Portfolios_Formed_on_ME.csv", PORTFOLIOS))
    assert list(found.columns) == ["<= 0", "Lo 30", "Med 40"]
    assert found["<= 0"].isna().all()
    np.testing.assert_allclose(found["Lo 30"], [0.007, 0.0506], rtol=1e-15)
    named = ["Average Equal Weighted Returns -- Monthly", "Number of Firms in Portfolios"]
    assert found.attrs["source"][0]["not_read"] == named


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + DAILY,
        DAILY.replace("\n", "\r"),
        DAILY.rstrip("\n"),
        DAILY.replace("20221229,", "\n\n20221229,"),
        DAILY.replace("   ", ""),
        DAILY.replace("-99.99", "-99.9900"),
        DAILY.replace("-99.99", "-999.00"),
        DAILY.replace("-99.99", ""),
        DAILY.replace("202212", '"202212').replace("28,", '28",').replace("29,", '29",').replace("30,", '30",'),
    ],
)
def test_what_does_not_matter(write, text):
    wanted = read_french(write("a.csv", DAILY))
    pd.testing.assert_frame_equal(read_french(write("b.csv", text)), wanted)


def test_a_text_beyond_ascii(write):
    text = DAILY.replace("Ibbotson", "Ibbotsön")
    wanted = read_french(write("a.csv", text))
    pd.testing.assert_frame_equal(read_french(write("b.csv", text, encoding="latin-1")), wanted)


def test_missing_codes_are_known_before_they_are_divided_and_a_total_loss_is_a_value(write):
    text = ",Mom\n20221228,-100.00\n20221229,-99.99\n20221230,-999\n20230103,-99.98\n"
    found = read_french(write("a.csv", text))["Mom"]
    np.testing.assert_array_equal(found, [-1.0, np.nan, np.nan, -99.98 / 100])


def test_files_are_joined_over_all_their_dates(write):
    found = read_french(write("a.csv", DAILY), write("b.csv", MOMENTUM))
    assert list(found.columns) == ["Mkt-RF", "SMB", "HML", "RF", "Mom"]
    assert found.index.is_monotonic_increasing
    assert found.index.is_unique
    np.testing.assert_allclose(found["Mom"], [0.0011, np.nan, -0.028, -0.0027], rtol=1e-15)
    np.testing.assert_allclose(found["HML"], [np.nan, -0.0027, -0.0106, -0.0004], rtol=1e-15)
    assert [story["name"] for story in found.attrs["source"]] == ["a.csv", "b.csv"]
    assert found.attrs["source"][1]["missing"] == {"Mom": 0}


def test_a_column_of_two_files_is_filled_from_either_and_may_not_differ(write):
    early = write("early.csv", ",Mom,RF\n20221227,0.5,0.016\n20221228,0.6,0.016\n")
    late = write("late.csv", ",RF,SMB\n20221228,0.016,0.3\n20221229,0.017,-99.99\n")
    found = read_french(early, late)
    np.testing.assert_allclose(found["RF"], [0.00016, 0.00016, 0.00017], rtol=1e-15)
    other = write("other.csv", ",RF\n20221228,0.02\n20221229,0.017\n")
    message = refused(early, late, other)
    assert "RF of 2022-12-28 is 0.016 per cent in early.csv and 0.02 in other.csv, and 1 dates differ" in message


def test_frequencies_do_not_mix(write):
    message = refused(write("a.csv", DAILY), write("b.csv", MONTHLY))
    assert "a.csv is daily, b.csv is monthly" in message
    for gap, wanted in (("B", "daily"), ("7D", "weekly"), ("ME", "monthly"), ("YE", "yearly")):
        assert read_french(write("c.csv", extract(gap=gap))).attrs["source"][0]["frequency"] == wanted
    one = read_french(write("one.csv", ",Mom\n202403,1.5\n"), write("b.csv", MONTHLY))
    assert one.attrs["source"][0]["frequency"] is None
    np.testing.assert_array_equal(one["Mom"], [np.nan, np.nan, 0.015])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("1.26", "1.2x", "daily.csv, line 7: SMB of 20221229 is '1.2x', which is not a number"),
        ("1.26", "nan", "SMB of 20221229 is 'nan'"),
        ("1.26", "inf", "SMB of 20221229 is 'inf'"),
        ("1.26", "1_2", "SMB of 20221229 is '1_2'"),
        ("1.26", "1,26", "line 7: ['20221229', '1.87', '1', '26', '-1.06', '0.016'] does not have one value for each"),
        ("-1.06,   0.016", "-1.06", "line 7: ['20221229', '1.87', '1.26', '-1.06'] does not have one value for each"),
        ("20221229", "20221329", "line 7: '20221329' is not a date"),
        ("20221229", "202212", "line 7: '202212' is not a date"),
        ("20221229", "2022-12-29", "line 7: '2022-12-29' is not a date"),
        ("20221229", "2O221229", "line 7: '2O221229' is not a date"),
        ("20221229", "O0221229", "line 7: 'O0221229' is not a date"),
        ("20221229", "", "line 7: '' is not a date"),
        ("20221230", "99991231", "line 8: '99991231' is not a date"),
        ("20221229", "00000101", "line 7: '00000101' is not a date"),
        (",Mkt-RF,SMB,HML,RF", "Date,,,,", "line 5: the names"),
        ("20221229", "20221228", "line 7: 20221228 comes after 20221228; dates must increase"),
        ("20221229", "20221227", "line 7: 20221227 comes after 20221228; dates must increase"),
        ("20221229", "see below\n20221229", "line 7: 'see below' stands between rows"),
        ("SMB,HML", "SMB,SMB", "line 5: the names"),
        ("SMB,HML", "SMB,", "line 5: the names"),
        (",Mkt-RF,SMB,HML,RF", "Mkt-RF SMB HML RF", "is not a file of Kenneth French's library"),
    ],
)
def test_what_is_damaged_is_refused_by_file_line_and_value(write, old, new, words):
    assert old in DAILY
    assert words in refused(write("daily.csv", DAILY.replace(old, new)))


def test_a_part_of_a_file_is_refused(write):
    """Cut anywhere within a row, but for its last number, which may be missing or short."""
    row = DAILY.index("20221230")
    for length in range(row + 1, DAILY.index(",   0.016", row) + 1):
        assert "line 8" in refused(write("daily.csv", DAILY[:length]))


@pytest.mark.parametrize(
    "text", ["", "\n\n", "<html><body>Not found</body></html>", ",Mkt-RF,SMB\n", "\x00\x01,\x02\n,"]
)
def test_what_is_no_file_of_the_library(write, text):
    assert "a.csv is not a file of Kenneth French's library" in refused(write("a.csv", text))


def test_archives_that_cannot_be_read(write, tmp_path):
    assert "holds a.csv, b.csv" in refused(write("two.zip", DAILY, "a.csv", "b.csv"))
    assert "holds F-F.txt; a file of the library holds one CSV" in refused(write("text.zip", DAILY, "F-F.txt"))
    whole = write("whole.zip", DAILY).read_bytes()
    damaged = bytearray(whole)
    damaged[len(whole) // 3] ^= 0xFF
    for name, content in (("cut.zip", whole[:-30]), ("damaged.zip", bytes(damaged)), ("text.zip", DAILY.encode())):
        (tmp_path / name).write_bytes(content)
        assert f"{name} is not a complete zip file" in refused(tmp_path / name)


def test_arguments_that_are_no_files(write, tmp_path):
    assert "the paths of read_french are ()" in refused()
    assert "the paths of read_french are" in refused([write("a.csv", DAILY)])
    assert "the suffix of the factor file is '.txt'; valid are '.zip', '.csv'" in refused(tmp_path / "a.txt")
    assert "cannot be read: No such file" in refused(tmp_path / "absent.csv")


def test_decimals_are_refused_and_the_rate_is_not_asked(write):
    assert read_french(write("a.csv", extract())).shape == (30, 2)
    assert read_french(write("a.csv", extract(scale=0.01, names=("RF",)))).shape == (30, 1)
    message = refused(write("a.csv", extract(scale=0.01)))
    assert "too small for per cent" in message
    assert "Study.run(factors=...)" in message


@pytest.mark.parametrize(
    ("name", "rows", "last"),
    [
        ("ff3_daily.csv", 2014, "2022-12-30"),
        ("ff5_daily.csv", 2014, "2022-12-30"),
        ("mom_daily.csv", 2014, "2022-12-30"),
        ("asia_pacific_ex_japan_ff5_daily_to_2021-08.csv", 1740 - 1, "2021-08-31"),
    ],
)
def test_the_extracts(shared, write, name, rows, last):
    path = shared / "data" / "oracles" / "fama_french_daily" / name
    wanted = pd.read_csv(path, index_col=0, parse_dates=True) / 100
    found = read_french(path)
    pd.testing.assert_frame_equal(found, wanted, rtol=0, atol=0, check_names=False, check_index_type=False)
    assert (found.index == wanted.index).all()
    story = found.attrs["source"][0]
    assert (story["rows"], story["last"], story["vintage"]) == (rows, last, None)
    assert set(story["missing"].values()) == {0}
    decimals = pd.read_csv(path, index_col=0) / 100
    assert "too small for per cent" in refused(write("decimals.csv", decimals.to_csv()))


def test_the_extracts_of_two_sets_of_factors_do_not_go_together(shared):
    folder = shared / "data" / "oracles" / "fama_french_daily"
    assert "SMB of 2015-01-02 is -0.56 per cent" in refused(folder / "ff5_daily.csv", folder / "ff3_daily.csv")
    six = read_french(folder / "ff5_daily.csv", folder / "mom_daily.csv")
    assert six.shape == (2014, 7)
    assert six.notna().all(axis=None)


@pytest.mark.thorough
def test_factors_that_end_before_the_events_leave_them_out(shared):
    """The first has factors throughout, the second in its estimation window alone, the third in neither."""
    factors = read_french(shared / "data/oracles/fama_french_daily/asia_pacific_ex_japan_ff5_daily_to_2021-08.csv")
    rows = pd.DataFrame({"ticker": ["0700.HK"] * 3, "announced": ["2021-07-05", "2021-09-09", "2022-03-14"]})
    study = es.Study(model="ff5", estimation=(-150, -11), windows=((0, 0),), event=(-5, 5), tests="cross_section")
    result = study.run(es.Events.from_frame(rows), es.read_prices(shared / "data" / "prices"), factors=factors)
    assert (result.events["status"] == "ok").tolist() == [True, False, False]
    assert result.tests["n"].tolist() == [1]
