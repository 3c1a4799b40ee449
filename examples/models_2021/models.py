"""Measure how much the CARs of events in 2020-2022, and their mean, depend on the model of the normal return.

Needs a folder of prices in Yahoo's layout, a table of Hong Kong closes (dates by tickers) for the peers, and the
daily three factors of Kenneth French's data library:

    python models.py PRICES HK_CLOSES FACTORS [OUTPUT]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas as pd

import eventstudy as es
from eventstudy.display import formats

BENCHMARK = {"XHKG": "^HSI", "XNYS": "^GSPC"}
# For all events: models with the index of the exchange, or without regressors.
MARKET: dict[str, Any] = {
    "market": "market",
    "adjusted": "market_adjusted",
    "mean": "mean",
    "dimson": es.model("dimson", leads=1, lags=1),
    "garch": "garch",
}
# For listings in New York only: the factors are returns between American closes. The market model is for comparison.
FACTORS: dict[str, Any] = {"market NY": "market", "capm": "capm", "ff3": "ff3"}
# For listings in Hong Kong only: there are prices of only five firms in New York, and all of them have events.
PEERS: dict[str, Any] = {
    "market HK": "market",
    "matched": es.model("peers", matched=10),
    "pca": "pca",
    "net": "elastic_net",
    "synthetic": es.model("synthetic_control", max_placebos=40),
}
FUND = "KWEB"  # holds the firms with events, and cannot be their peer


def read(prices_folder: str, hk_closes: str) -> es.Prices:
    """Combine the prices of the firms with events and the closes of all other firms in Hong Kong."""
    prices = es.read_prices(prices_folder)
    closes = pd.read_csv(hk_closes, index_col="Date", parse_dates=True).dropna(axis=1, how="all")
    others = es.Prices.from_frame(closes, exchange="XHKG")
    bars_of_firms = {ticker: bars for ticker, bars in prices.bars.items() if ticker != FUND}
    return es.Prices({**others.bars, **bars_of_firms}, provenance=prices.provenance)


def specifications(
    prices: es.Prices,
    factors: pd.DataFrame,
    market: Any = MARKET,
    of_new_york: Any = FACTORS,
    of_hong_kong: Any = PEERS,
) -> Any:
    """Run the catalogue with each model; models for one exchange are run on its listings only."""
    study = es.Study(benchmark=BENCHMARK, event=(-5, 5), windows=((-1, 1), (0, 0), (0, 5)))
    events = es.catalogue("china-tech", version="1")  # the version that the README measures
    in_hong_kong = events.frame["ticker"].str.endswith(".HK")
    # Without the column of expected signs: what the model changes is asked, in CARs as they are.
    results = study.run(es.Events.from_frame(_input_columns(events.frame)), prices).across(market)
    for listings, models in ((~in_hong_kong, of_new_york), (in_hong_kong, of_hong_kong)):
        part = es.Events.from_frame(_input_columns(events.frame[listings]))
        results = results.join(study.run(part, prices, factors=factors).across(models))
    return results


def _input_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Select the columns from which the events were read."""
    return frame[["ticker", "announced", "timezone", "cluster"]].reset_index()


def text(results: Any) -> str:
    """Format the CAR of each event and model as a table of at most 100 columns, in per cent; * is p < 5 %."""
    table = results.table()
    table = table[table.index.isin(results.dependence().index)]
    lines = ["CAR (-1, 1) in per cent; * p < 5 %, . no CAR", ""]
    short = [name for name in results.models.index if not name.startswith("market ")]
    lines.append(f"{'event':<23}" + "".join(f"{name[:6]:>6} " for name in short).rstrip())
    for name, row in table.iterrows():
        ticker = str(row["event", "ticker"])
        news = formats.cut(str(name).removesuffix(ticker).rstrip(":"), 21 - len(ticker))
        cells = (_cell(row[label, "car"], row[label, "p"]) for label in short)
        lines.append((f"{f'{news} {ticker}':<23}" + "".join(cells)).rstrip())
    return "\n".join(lines)


def _cell(car: float, p: float) -> str:
    return f"{'.':>6} " if car != car else f"{100 * car:>6.1f}{'*' if p < 0.05 else ' '}"


def counts(results: Any) -> str:
    """Count the events whose sign, or significance, depends on the model."""
    lines = []
    for window in results.windows:
        events = results.dependence(window)
        events = events[events["n"] > 1]
        sign, hit = int(events["sign_depends"].sum()), int(events["significance_depends"].sum())
        always = int((events["n_significant"] == events["n"]).sum())
        both = int((events["sign_depends"] & events["significance_depends"]).sum())
        lines.append(
            f"{formats.window(*window)}: of {len(events)} events the sign depends on the model in {sign}, significance"
            f" at 5 % in {hit}, both in {both};"
        )
        lines.append(f"         {always} are significant in every model, {len(events) - always - hit} in none.")
    return "\n".join(lines)


def main() -> None:
    """Print the results, and write the tables and figures."""
    if len(sys.argv) not in (4, 5):
        sys.exit("usage: python models.py PRICES HK_CLOSES FACTORS [OUTPUT] (README.md describes them)")
    prices_folder, hk_closes, factors = sys.argv[1:4]
    output = Path(sys.argv[4] if len(sys.argv) > 4 else ".")
    output.mkdir(parents=True, exist_ok=True)
    results = specifications(read(prices_folder, hk_closes), es.read_french(factors))
    print(results)
    print(results.summary()[["n", "effect", "reference", "p", "significant", "same_sign"]].round(3).to_string())
    print(counts(results))
    results.events.to_csv(output / "models.csv")
    (output / "models.txt").write_text(text(results) + "\n", encoding="utf-8")
    results.plot("curve")[0].figure.savefig(output / "curve.png", dpi=150)
    results.plot("curve", window="all")[0].figure.savefig(output / "curve_windows.png", dpi=150)
    results.plot("events").figure.savefig(output / "events.png", dpi=150)
    results.plot("events", most=None).figure.savefig(output / "events_all.png", dpi=110)


if __name__ == "__main__":
    main()
