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

// One hatch for each colour: bars of steps that are not complete.
const hatches = new Map();
function hatch(colour) {
  if (!hatches.has(colour)) {
    const id = `hatch-${hatches.size}`;
    hatches.set(colour, `url(#${id})`);
    $("hatches").insertAdjacentHTML("beforeend", `<pattern id="${id}" width="6" height="6" patternUnits="userSpaceOnUse"
      patternTransform="rotate(45)"><rect width="6" height="6" fill="var(--page)"/><rect width="3" height="6" fill="var(${colour})"/></pattern>`);
  }
  return hatches.get(colour);
}

// A step is complete if the log covers all of it; of one that the log does not cover at all, nothing is known.
const isWhole = (start, unit) => everyDay(start, addDays(nextStart(start, unit), -1), isWholeDay);
const isLogged = (start, unit) => !everyDay(start, addDays(nextStart(start, unit), -1), day => !isLoggedDay(day));

// Marks of a line: its points, and segments that are dashed to and from a step that is not complete.
function lineRows(points) {
  const rows = points.map(point => ({ ...point, mark: "point" }));
  points.slice(1).forEach((point, at) => {
    const before = points[at];
    if (before.value === null || point.value === null) return;
    const mark = before.is_whole && point.is_whole ? "line" : "dash";
    for (const end of [before, point]) rows.push({ ...end, mark, segment: `${point.series} ${at}` });
  });
  return rows;
}

function legend(figure, series, hasPartial, isLines) {
  const items = series.length > 1 ? series.map(each => element("li", {}, element("i", { style: `background: var(${each.colour})` }), each.name)) : [];
  if (hasPartial) items.push(element("li", {}, element("i", { class: isLines ? "dashed" : "hatched" }), "Not complete: the log does not cover all of it"));
  figure.querySelector(".legend").replaceChildren(...items);
}

// series: [{name, colour, values: Map from start to value}]; write(value) gives a number its unit.
async function showPlot(name, starts, unit, series, write) {
  const figure = $(`chart-${name}`);
  const isEmpty = !series.some(each => [...each.values.values()].some(value => value));
  for (const part of [".plot", "details", ".legend"]) figure.querySelector(part).hidden = isEmpty;
  figure.querySelector(".empty").hidden = !isEmpty;
  if (isEmpty) return;
  const isLines = page.charts[name].layer !== undefined;
  const valueOf = (each, start) => each.values.get(start) ?? (each.values.has(start) || each.hasGaps || !isLogged(start, unit) ? null : 0);
  const shown = series.filter(each => isLines || [...each.values.values()].some(value => value));
  legend(figure, shown, starts.some(start => !isWhole(start, unit)), isLines);
  const rows = shown.flatMap(each => {
    const points = starts.map(start => {
      const value = valueOf(each, start);
      const is_whole = isWhole(start, unit);
      return {
        series: each.name, value, start, unit, is_whole, colour: `var(${each.colour})`,
        step: unit === "month" ? start.slice(0, 7) : start,
        fill: is_whole ? `var(${each.colour})` : hatch(each.colour),
        label: `${stepName(start, unit)}: ${value === null ? "no log" : write(value)}${shown.length > 1 ? `, ${each.name}` : ""}${is_whole ? "" : " (not complete)"}`,
      };
    });
    return isLines ? lineRows(points) : points;
  });
  showTable(
    figure.querySelector(".table"),
    [{ name: "start", title: unit === "day" ? "Day" : unit === "week" ? "Week from" : "Month", kind: "text", text: row => (unit === "month" ? row.start.slice(0, 7) : row.start), cell: row => `${unit === "month" ? monthName(row.start) : row.start}${isWhole(row.start, unit) ? "" : " (not complete)"}` },
      ...shown.map((each, at) => ({ name: `series${at}`, title: each.name, kind: write === bytes ? "bytes" : "count" }))],
    starts.map(start => Object.fromEntries([["start", start],
      ...shown.map((each, at) => [`series${at}`, valueOf(each, start)])])).reverse(),
  );
  await draw(name, rows);
}

const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

// Averages of an hour of the week over the times that the log covers it, as a table of coloured cells.
function showHeat(place, sums, from, to) {
  const times = Array(168).fill(0);
  for (let day = from; day <= to; day = addDays(day, 1))
    for (let hour = 0; hour < 24; hour += 1) times[weekdayOf(day) * 24 + hour] += isLoggedHour(day, hour);
  const average = hour => (times[hour] ? (sums.get(hour) || 0) / times[hour] : null);
  const top = Math.max(...times.map((_, hour) => average(hour) || 0));
  if (!times.some(Boolean)) return place.replaceChildren(element("p", { class: "empty" }, NOTHING));
  const hours = Array.from({ length: 24 }, (_, hour) => hour);
  const pad = hour => `${hour}`.padStart(2, "0");
  const rows = WEEKDAYS.map((weekday, at) => element("tr", {}, element("th", { scope: "row" }, weekday.slice(0, 3)),
    ...hours.map(hour => {
      const value = average(at * 24 + hour);
      const text = value === null ? "no log" : `${short.format(value)} pulls on average`;
      const depth = top && value ? (15 + (85 * value) / top).toFixed(0) : 0;
      return element("td", { style: `--depth: ${depth}%`, title: `${weekday}, ${pad(hour)}:00 to ${pad(hour + 1)}:00 UTC: ${text}`, "data-value": value },
        element("span", { class: "unseen" }, value === null ? "–" : short.format(value)));
    })));
  return place.replaceChildren(element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Hour and weekday" },
    element("table", { class: "heat" }, element("caption", { class: "unseen" }, "Average pulls by weekday and hour (UTC)"),
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, element("span", { class: "unseen" }, "Weekday")),
        ...hours.map(hour => element("th", { scope: "col" }, pad(hour))))), element("tbody", {}, ...rows))),
  element("p", { class: "scale" }, "0 ", element("i"), ` ${short.format(top)} pulls an hour on average (UTC)`));
}
