"use strict";
// Vega views, made once and given new rows.
const views = new Map();

// The first rows come with the plot: drawn without any it would have no size.
async function draw(name, rows) {
  if (views.has(name)) return (await views.get(name)).data("rows", rows).resize().runAsync();
  const plot = document.querySelector(`#chart-${name} .plot`);
  views.set(name, vegaEmbed(plot, { ...page.charts[name], data: { name: "rows", values: rows } }, {
    actions: false, renderer: "svg", logLevel: 1,
    tooltip: { theme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light" },
  }).then(made => made.view));
  return views.get(name);
}

// series: [{name, values: Map from start to value}]; write(value) gives a number its unit.
async function showPlot(name, starts, unit, series, write) {
  const figure = document.getElementById(`chart-${name}`);
  const isEmpty = !series.some(each => [...each.values.values()].some(value => value));
  for (const part of [".plot", "details"]) figure.querySelector(part).hidden = isEmpty;
  figure.querySelector(".empty").hidden = !isEmpty;
  if (isEmpty) return;
  const rows = series.flatMap(each => starts.filter(start => each.values.has(start) || !each.hasGaps).map(start => {
    const value = each.values.get(start) || 0;
    return {
      series: each.name, value,
      start: millis(start), end: millis(nextStart(start, unit)),
      label: `${stepName(start, unit)}: ${write(value)}, ${each.name}`,
    };
  }));
  showTable(
    figure.querySelector(".table"),
    [{ name: "start", title: unit === "day" ? "Day" : unit === "week" ? "Week from" : "Month", kind: "text", cell: row => (unit === "month" ? monthName(row.start) : row.start) },
      ...series.map((each, at) => ({ name: `series${at}`, title: each.name, kind: write === bytes ? "bytes" : "count" }))],
    starts.map(start => Object.fromEntries([["start", start],
      ...series.map((each, at) => [`series${at}`, each.values.has(start) ? each.values.get(start) : each.hasGaps ? null : 0])])).reverse(),
  );
  await draw(name, rows);
}
