"""How far each event of 2020-2022, and their mean, depends on the model of the normal return.

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
# Serve all events: the index of the exchange, or nothing.
MARKET: dict[str, Any] = {
    "market": "market",
    "adjusted": "market_adjusted",
    "mean": "mean",
    "dimson": es.model("dimson", leads=1, lags=1),
    "garch": "garch",
}
# Serve listings in New York alone: the factors are those of American closes. The market model stands by for comparison.
FACTORS: dict[str, Any] = {"market NY": "market", "capm": "capm", "ff3": "ff3"}
# Serve listings in Hong Kong alone: of New York there are prices of five firms, and all are treated.
PEERS: dict[str, Any] = {
    "market HK": "market",
    "matched": es.model("peers", matched=10),
    "pca": "pca",
    "net": "elastic_net",
    "synthetic": es.model("synthetic_control", max_placebos=40),
}
HOLDER = "KWEB"  # a fund of the treated firms is no peer of theirs


def read(prices_folder: str, hk_closes: str) -> es.Prices:
    """Join the prices of the firms that are studied with the closes of all others in Hong Kong."""
    own = es.read_prices(prices_folder)
    closes = pd.read_csv(hk_closes, index_col="Date", parse_dates=True).dropna(axis=1, how="all")
    others = es.Prices.from_frame(closes, exchange="XHKG")
    kept = {ticker: bars for ticker, bars in own.bars.items() if ticker != HOLDER}
    return es.Prices({**others.bars, **kept}, provenance=own.provenance)


def specifications(
    prices: es.Prices,
    factors: pd.DataFrame,
    market: Any = MARKET,
    of_new_york: Any = FACTORS,
    of_hong_kong: Any = PEERS,
) -> Any:
    """Study the catalogue with each model, those that serve one exchange on its listings alone."""
    study = es.Study(benchmark=BENCHMARK, event=(-5, 5), windows=((-1, 1), (0, 0), (0, 5)))
    events = es.catalogue("china-tech")
    here = events.frame["ticker"].str.endswith(".HK")
    found = study.run(events, prices).across(market)
    for some, models in ((~here, of_new_york), (here, of_hong_kong)):
        part = es.Events.from_frame(_given(events.frame[some]))
        found = found.join(study.run(part, prices, factors=factors).across(models))
    return found


def _given(frame: pd.DataFrame) -> pd.DataFrame:
    """Take from events what they were read from."""
    return frame[["ticker", "announced", "timezone", "cluster"]].reset_index()


def text(found: Any) -> str:
    """Give what the events are to each model as a table of at most 100 columns, the CAR in per cent; * is p < 5 %."""
    table = found.table()
    table = table[table.index.isin(found.dependence().index)]
    lines = ["CAR (-1, 1) in per cent; * p < 5 %, . no CAR", ""]
    short = [name for name in found.models.index if not name.startswith("market ")]
    lines.append(f"{'event':<23}" + "".join(f"{name[:6]:>6} " for name in short).rstrip())
    for name, row in table.iterrows():
        ticker = str(row["event", "ticker"])
        news = formats.cut(str(name).removesuffix(ticker).rstrip(":"), 21 - len(ticker))
        cells = (_cell(row[label, "car"], row[label, "p"]) for label in short)
        lines.append((f"{f'{news} {ticker}':<23}" + "".join(cells)).rstrip())
    return "\n".join(lines)


def _cell(car: float, p: float) -> str:
    return f"{'.':>6} " if car != car else f"{100 * car:>6.1f}{'*' if p < 0.05 else ' '}"


def counts(found: Any) -> str:
    """Say in how many events the sign, or the significance, depends on the model."""
    lines = []
    for window in found.windows:
        events = found.dependence(window)
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
    """Print the answers, and write the tables and the figures."""
    if len(sys.argv) not in (4, 5):
        sys.exit("usage: python models.py PRICES HK_CLOSES FACTORS [OUTPUT] (README.md says what they are)")
    prices_folder, hk_closes, factors = sys.argv[1:4]
    output = Path(sys.argv[4] if len(sys.argv) > 4 else ".")
    output.mkdir(parents=True, exist_ok=True)
    found = specifications(read(prices_folder, hk_closes), es.read_french(factors))
    print(found)
    print(found.summary()[["n", "effect", "reference", "p", "significant", "same_sign"]].round(3).to_string())
    print(counts(found))
    found.events.to_csv(output / "models.csv")
    (output / "models.txt").write_text(text(found) + "\n", encoding="utf-8")
    found.plot("curve")[0].figure.savefig(output / "curve.png", dpi=150)
    found.plot("curve", window="all")[0].figure.savefig(output / "curve_windows.png", dpi=150)
    found.plot("events").figure.savefig(output / "events.png", dpi=150)
    found.plot("events", most=None).figure.savefig(output / "events_all.png", dpi=110)


if __name__ == "__main__":
    main()
