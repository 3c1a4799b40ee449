"use strict";
(() => {
  const data = JSON.parse(document.getElementById("explorer-data").textContent);
  const at = (id) => document.getElementById(id);
  const scale = data.percent ? 100 : 1;
  const note = data.note ? " (" + data.note + ")" : "";
  const unit = data.percent ? " %" : "";
  let chosen = null;
  let shown = [];

  const number = (value) =>
    value === null ? "–" : ((value > 0 ? "+" : "") + (scale * value).toFixed(data.digits) + unit).replace("-", "−");
  const pValue = (p) => (p === null || p === undefined ? "" : p < 0.001 ? "p <0.001" : "p " + p.toFixed(3));
  const option = (select, value, text) => {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = text;
    select.append(made);
  };
  // Plotly reads some markup in labels, so that text of the user is escaped.
  const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  const short = (text) => (text.length > 80 ? text.slice(0, 79) + "…" : text);

  const layout = (height) => ({
    height, margin: { l: 56, r: 10, t: 10, b: 44 }, showlegend: false, hovermode: "closest",
    paper_bgcolor: "#fff", plot_bgcolor: "#fff", font: { family: "system-ui, sans-serif", size: 12, color: "#1f2933" },
    xaxis: { title: { text: data.unit.charAt(0).toUpperCase() + data.unit.slice(1) + "s from the event" },
      zeroline: true, zerolinecolor: "#5b6570", gridcolor: "#eef0f2" },
    yaxis: { ticksuffix: unit, zeroline: true, zerolinecolor: "#5b6570", gridcolor: "#e3e6e9" },
  });
  const config = { displayModeBar: false, responsive: true };

  // As in the averages of the study, each event is multiplied by its sign, and is left out without one.
  const signed = () => data.signed && at("signed").checked;
  const factor = (event) => (signed() ? event.sign : 1);
  const average = (values) => {
    const there = values.filter((value) => value !== null);
    return there.length ? there.reduce((a, b) => a + b, 0) / there.length : null;
  };
  const times = (values, by) => values.map((value) => (value === null ? null : by * value));
  const mean = () => {
    const paths = shown.map((event) => times(event.path, factor(event)));
    return times(data.days.map((_, k) => average(paths.map((path) => path[k]))), scale);
  };

  const drawAll = () => {
    const inOrder = [...shown.filter((event) => event !== chosen), ...shown.filter((event) => event === chosen)];
    const lines = inOrder.map((event) => ({
      x: data.days, y: times(event.path, scale * factor(event)), mode: "lines", name: event.id,
      line: { width: event === chosen ? 3 : 1, color: event === chosen ? "#b3372f" : "rgba(31,90,138,.28)" },
      hovertemplate: plain(short(event.title)) + "<br>" + plain(event.ticker) + ", " + event.session +
        "<br>" + data.step + " %{x}: %{y:.2f}" + unit + "<extra></extra>",
    }));
    lines.push({ x: data.days, y: mean(), mode: "lines", name: "", line: { width: 3, color: "#1f2933" },
      hovertemplate: "mean of " + shown.length + "<br>" + data.step + " %{x}: %{y:.2f}" + unit + "<extra></extra>" });
    const what = (signed() ? "Signed " : "") + data.short;
    at("all-caption").textContent = what + " of " + shown.length + " events, and their mean (dark)" + note;
    Plotly.react(at("all"), lines, layout(420), config);
  };

  const drawOne = () => {
    if (chosen === null) return;
    at("one-title").textContent = chosen.title;
    const effects = data.windows.map((window, k) =>
      data.short + " " + window + ": " + number(chosen.effects[k]) + (pValue(chosen.p[k]) && ", " + pValue(chosen.p[k])));
    const groups = data.columns.slice(1).map((name, k) => name + ": " + chosen.groups[k + 1]);
    at("one-facts").textContent = [chosen.ticker + ", " + chosen.session, ...effects, ...groups].join("; ");
    const bars = { x: data.days, y: times(chosen.ar, scale), type: "bar", name: data.daily, marker: { color: "#9db8d0" },
      hovertemplate: data.step + " %{x}: %{y:.2f}" + unit + "<extra>" + data.daily + "</extra>" };
    const line = { x: data.days, y: times(chosen.path, scale), mode: "lines+markers", name: data.short,
      line: { width: 2, color: "#1f5a8a" },
      hovertemplate: data.step + " %{x}: %{y:.2f}" + unit + "<extra>" + data.short + "</extra>" };
    at("one-caption").textContent = chosen.ticker + ", " + chosen.session + ": " + data.daily + "s (bars) and " +
      data.short + " (line)" + note;
    Plotly.react(at("one"), [bars, line], layout(320), config);
  };

  const choose = (event) => {
    chosen = event;
    for (const button of at("list").querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(button.dataset.id === event.id));
    drawAll();
    drawOne();
  };

  const drawList = () => {
    const key = at("sort").value;
    const k = Number(key);
    at("list").replaceChildren(...shown.map((event) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.id = event.id;
      button.setAttribute("aria-pressed", String(event === chosen));
      const window = Number.isNaN(k) ? 0 : k;
      button.textContent = event.title + " · " + event.ticker + " · " + event.session + " · " + data.short + " " +
        data.windows[window] + " " + number(event.effects[window]) + " " + pValue(event.p[window]);
      button.addEventListener("click", () => choose(event));
      item.append(button);
      return item;
    }));
  };

  const select = () => {
    const words = at("search").value.toLowerCase();
    const column = Number(at("column").value);
    const value = at("value").value;
    const found = data.events.filter((event) =>
      (event.title + " " + event.id + " " + event.ticker + " " + event.session).toLowerCase().includes(words) &&
      (value === "" || event.groups[column] === value) && factor(event) !== 0);
    const key = at("sort").value;
    const k = Number(key);
    const missingLast = (a, b) => (a.effects[k] === null) - (b.effects[k] === null) || a.effects[k] - b.effects[k];
    found.sort(Number.isNaN(k) ? (a, b) => (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0) : missingLast);
    shown = found;
    const window = Number.isNaN(k) ? 0 : k;
    const effect = average(shown.map((event) => times(event.effects, factor(event))[window]));
    at("count").textContent = shown.length + " of " + data.events.length + " events; mean " +
      (signed() ? "signed " : "") + data.short + " " + (data.windows[window] || "") + ": " + number(effect);
    drawAll();
    drawList();
  };

  const fillValues = () => {
    const column = Number(at("column").value);
    at("value").replaceChildren();
    option(at("value"), "", "all");
    for (const value of [...new Set(data.events.map((event) => event.groups[column]))].sort())
      option(at("value"), value, value);
  };

  data.columns.forEach((name, k) => option(at("column"), k, name));
  for (const [value, text] of [["session", data.unit], ["ticker", "ticker"], ["title", "title"]])
    option(at("sort"), value, text);
  data.windows.forEach((window, k) => option(at("sort"), k, data.short + " " + window));
  fillValues();
  at("choices").addEventListener("submit", (event) => event.preventDefault());
  at("search").addEventListener("input", select);
  at("column").addEventListener("change", () => { fillValues(); select(); });
  at("value").addEventListener("change", select);
  at("sort").addEventListener("change", select);
  if (data.signed) at("signed").addEventListener("change", select);
  select();
  at("all").on("plotly_click", (clicked) => {
    const event = shown.find((one) => one.id === clicked.points[0].data.name);
    if (event) choose(event);
  });
})();
