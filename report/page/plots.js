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

// A step is complete if the log covers all of it; of one that the log does not cover at all, nothing is known.
const isWhole = (start, unit) => everyDay(start, addDays(nextStart(start, unit), -1), isWholeDay);
const isLogged = (start, unit) => !everyDay(start, addDays(nextStart(start, unit), -1), day => !isLoggedDay(day));

function legend(figure, series, hasPartial) {
  const items = series.length > 1 ? series.map(each => element("li", {}, element("i", { style: `background: var(${each.colour})` }), each.name)) : [];
  if (hasPartial) items.push(element("li", {}, "Pale bars and rings: the log does not cover all of the step"));
  figure.querySelector(".legend").replaceChildren(...items);
}

// Draws the rows and lists their numbers.
async function showFigure(name, rows, columns, listed) {
  const figure = $(`chart-${name}`);
  for (const part of [".plot", "details", ".legend"]) figure.querySelector(part).hidden = !rows.length;
  figure.querySelector(".empty").hidden = rows.length > 0;
  if (!rows.length) return;
  showTable(figure.querySelector(".table"), columns, listed);
  await draw(name, rows);
}

// series: [{name, colour, values: Map from start to value}]; write(value) gives a number its unit.
function showPlot(name, starts, unit, series, write) {
  const isLines = page.charts[name].layer !== undefined;
  const valueOf = (each, start) => each.values.get(start) ?? (each.values.has(start) || each.hasGaps || !isLogged(start, unit) ? null : 0);
  const hasValue = each => [...each.values.values()].some(value => value);
  const shown = series.some(hasValue) ? series.filter(each => isLines || hasValue(each)) : [];
  legend($(`chart-${name}`), shown, starts.some(start => !isWhole(start, unit)));
  const rows = shown.flatMap(each => starts.map(start => {
    const value = valueOf(each, start);
    const is_whole = isWhole(start, unit);
    return {
      series: each.name, value, is_whole, colour: `var(${each.colour})`, step: unit === "month" ? start.slice(0, 7) : start,
      label: `${stepName(start, unit)}: ${value === null ? "no log" : write(value)}${shown.length > 1 ? `, ${each.name}` : ""}${is_whole ? "" : " (not complete)"}`,
    };
  }));
  return showFigure(name, rows,
    [{ name: "start", title: unit === "day" ? "Day" : unit === "week" ? "Week from" : "Month", kind: "text", text: row => (unit === "month" ? row.start.slice(0, 7) : row.start), cell: row => `${unit === "month" ? monthName(row.start) : row.start}${isWhole(row.start, unit) ? "" : " (not complete)"}` },
      ...shown.map((each, at) => ({ name: `series${at}`, title: each.name, kind: write === bytes ? "bytes" : "count" }))],
    starts.map(start => Object.fromEntries([["start", start],
      ...shown.map((each, at) => [`series${at}`, valueOf(each, start)])])).reverse());
}

const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

// Averages of an hour of the week over the times that the log covers it.
function showHours(sums, from, to) {
  const times = Array(168).fill(0);
  for (let day = from; day <= to; day = addDays(day, 1))
    for (let hour = 0; hour < 24; hour += 1) times[weekdayOf(day) * 24 + hour] += isLoggedHour(day, hour);
  const cells = times.map((covered, at) => {
    const [weekday, hour, value] = [WEEKDAYS[Math.floor(at / 24)], `${at % 24}`.padStart(2, "0"), covered ? (sums.get(at) || 0) / covered : null];
    return { weekday, hour, value, label: `${weekday}, ${hour}:00 to ${hour}:59 UTC: ${rate(value)} pulls on average` };
  });
  return showFigure("hours", cells.filter(cell => cell.value !== null),
    [{ name: "hour", title: "Hour (UTC)", kind: "text" }, ...WEEKDAYS.map(weekday => ({ name: weekday, title: weekday, kind: "rate" }))],
    cells.slice(0, 24).map(({ hour }, at) => Object.fromEntries([["hour", `${hour}:00`], ...WEEKDAYS.map((weekday, day) => [weekday, cells[day * 24 + at].value])])));
}
