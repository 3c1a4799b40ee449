"""Long Parquet data sets: one file, many, and hive partitions."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from eventstudy.errors import BadPrices, InputError
from eventstudy.prices import fetch_prices
from tests.sources.long import MANY, holds, long_table

ROWS = pa.table(
    {
        "ticker": ["^HSI", "BABA", "BABA", "HKD=X"],
        "date": [date(2021, 1, 4), date(2021, 1, 5), date(2021, 1, 4), date(2022, 1, 4)],
        "close": [50.0, 11.0, 10.0, 7.75],
    }
)
CLOSES = {"BABA": [10.0, 11.0], "HKD=X": [7.75], "^HSI": [50.0]}


def fetch(path, tickers=None, start=None, end=None, **options):
    return fetch_prices(tickers, start, end, source="parquet", path=path, **options)


def closes(prices):
    return {ticker: bars.fields["close"].tolist() for ticker, bars in prices.bars.items()}


def partitioned(folder, table, *names):
    schema = pa.schema([table.schema.field(name) for name in names])
    ds.write_dataset(table, folder, format="parquet", partitioning=ds.partitioning(schema, flavor="hive"))


@pytest.mark.thorough
@pytest.mark.parametrize("shape", ["one file", "partitions"])
@MANY
def test_long_rows_come_back_to_the_bit(tmp_path, tickers, shape):
    table, arrays = long_table(tickers)
    if shape == "one file":
        pq.write_table(table, tmp_path / "prices.parquet")
    else:
        labelled = table.append_column("initial", pc.utf8_slice_codeunits(table["ticker"], 0, 3))
        partitioned(tmp_path, labelled, "initial")
    holds(fetch(tmp_path), arrays)


def test_a_partition_by_ticker_has_the_names_as_they_are(tmp_path):
    partitioned(tmp_path, ROWS, "ticker")
    assert closes(fetch(tmp_path)) == CLOSES
    assert closes(fetch(tmp_path, ["^HSI"])) == {"^HSI": [50.0]}


def test_the_name_of_a_hive_folder_stays_text(tmp_path):
    (tmp_path / "a=b" / "ticker=0700").mkdir(parents=True)  # what is above the data set is no column
    table = ROWS.slice(1, 2).drop_columns(["ticker"]).append_column("mic", [["XHKG", "XHKG"]])
    pq.write_table(table, tmp_path / "a=b" / "ticker=0700" / "part.parquet")
    assert closes(fetch(tmp_path / "a=b")) == {"0700": [10.0, 11.0]}


def test_a_partition_by_year_is_cut_by_date(tmp_path):
    years = pc.year(ROWS["date"])
    partitioned(tmp_path, ROWS.append_column("year", years), "year")
    prices = fetch(tmp_path, None, "2022-01-01", "2022-12-31")
    assert closes(prices) == {"HKD=X": [7.75]}
    assert prices.provenance["files"] == 2


def test_only_what_can_have_the_rows_is_read(tmp_path):
    """Every other file holds text in the place of a price column's data, so that reading it would fail."""
    partitioned(tmp_path, ROWS, "ticker")
    other = next(tmp_path.glob("ticker=BABA/*.parquet"))
    data = bytearray(other.read_bytes())
    data[4:40] = b"\xff" * 36  # the pages; the footer, which has the schema, stands at the end
    other.write_bytes(data)
    assert closes(fetch(tmp_path, ["^HSI"])) == {"^HSI": [50.0]}
    with pytest.raises(InputError, match="cannot be read"):
        fetch(tmp_path, ["BABA"])


def test_row_groups_outside_the_range_are_not_read(tmp_path):
    path = tmp_path / "prices.parquet"
    pq.write_table(ROWS.take([1, 2, 0, 3]), path, row_group_size=3, compression="none", use_dictionary=False)
    start = pq.ParquetFile(path).metadata.row_group(1).column(2).data_page_offset
    data = bytearray(path.read_bytes())
    data[start : start + 12] = b"\xff" * 12
    path.write_bytes(data)
    assert closes(fetch(path, None, None, "2021-12-30")) == {"BABA": [10.0, 11.0], "^HSI": [50.0]}
    with pytest.raises(InputError, match="cannot be read"):
        fetch(path)


def test_files_are_united_by_the_names_and_types_of_their_columns(tmp_path):
    pq.write_table(ROWS.slice(0, 1).append_column("volume", [pa.array([5], pa.int64())]), tmp_path / "a.parquet")
    more = ROWS.slice(1, 2).append_column("volume", [[1.5, 2.5]]).append_column("adj_close", [[1.0, 2.0]])
    pq.write_table(more, tmp_path / "b.parquet")
    empty = ROWS.slice(3).append_column("volume", pa.nulls(1))
    pq.write_table(empty, tmp_path / "c.parquet")
    bars = fetch(tmp_path).bars
    assert bars["BABA"].fields["adjusted"].tolist() == [2.0, 1.0]
    assert bars["BABA"].fields["volume"].tolist() == [2.5, 1.5]
    assert bars["^HSI"].fields["volume"].tolist() == [5.0]
    assert "volume" not in bars["HKD=X"].fields


def test_columns_of_types_that_do_not_unite_are_refused(tmp_path):
    pq.write_table(ROWS, tmp_path / "a.parquet")
    pq.write_table(ROWS.set_column(2, "close", [["a", "b", "c", "d"]]), tmp_path / "b.parquet")
    with pytest.raises(InputError, match="cannot be read"):
        fetch(tmp_path)


@pytest.mark.parametrize("zone", ["Asia/Hong_Kong", "America/New_York", "Pacific/Kiritimati"])
def test_midnight_in_the_zone_of_the_column_is_the_date_there(tmp_path, zone):
    dates = ROWS["date"].to_pandas().astype("datetime64[us]").dt.tz_localize(zone)
    table = ROWS.set_column(1, "date", pa.array(dates))
    assert table.schema.field("date").type == pa.timestamp("us", zone)
    pq.write_table(table, tmp_path / "a.parquet")
    bars = fetch(tmp_path, ["BABA"], "2021-01-04", "2021-01-05").bars["BABA"]
    assert bars.dates.astype(str).tolist() == ["2021-01-04", "2021-01-05"]
    assert closes(fetch(tmp_path, ["BABA"], "2021-01-05", "2021-01-05")) == {"BABA": [11.0]}
    utc = ROWS.set_column(1, "date", pa.array(dates.dt.tz_convert("UTC")))
    pq.write_table(utc, tmp_path / "a.parquet")
    with pytest.raises(BadPrices, match="a time of day"):
        fetch(tmp_path, ["BABA"])


def test_a_category_is_text(tmp_path):
    frame = ROWS.to_pandas().astype({"ticker": "category"})
    frame.to_parquet(tmp_path / "a.parquet")
    assert closes(fetch(tmp_path / "a.parquet", ["BABA", "^HSI", "HKD=X"])) == CLOSES


def test_the_same_row_in_two_files_is_noticed(tmp_path):
    for name in ("a", "b"):
        pq.write_table(ROWS.slice(2, 1), tmp_path / f"{name}.parquet")
    with pytest.raises(BadPrices, match="BABA has two rows for 2021-01-04"):
        fetch(tmp_path)


def test_hidden_files_and_files_of_others_are_left_alone(tmp_path):
    pq.write_table(ROWS, tmp_path / "a.parquet")
    for name in ("._a.parquet", "_a.parquet", "README.txt", "manifest.csv"):
        (tmp_path / name).write_text("not Parquet")
    assert closes(fetch(tmp_path)) == CLOSES


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no file or folder .*nowhere"):
        fetch(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"has no \.parquet file"):
        fetch(tmp_path)
    (tmp_path / "a.parquet").write_text("not Parquet")
    with pytest.raises(InputError, match=r"cannot be read .*write it again"):
        fetch(tmp_path)


def test_inputs_are_not_shared_between_tickers(tmp_path):
    pq.write_table(ROWS, tmp_path / "a.parquet")
    bars = fetch(tmp_path).bars
    assert not np.shares_memory(bars["BABA"].fields["close"], bars["^HSI"].fields["close"])
