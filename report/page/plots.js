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

// A step is complete if the log covers all of it.
const isWhole = (start, unit) => start >= firstWholeDay && addDays(nextStart(start, unit), -1) <= newestWholeDay;

// Marks of a line: its points, and segments that are dashed to and from a step that is not complete.
function lineRows(points) {
  const rows = points.map(point => ({ ...point, mark: "point" }));
  points.slice(1).forEach((point, at) => {
    const before = points[at];
    if (nextStart(before.start, point.unit) !== point.start) return;
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
  const shown = series.filter(each => isLines || [...each.values.values()].some(value => value));
  legend(figure, shown, starts.some(start => !isWhole(start, unit)), isLines);
  const rows = shown.flatMap(each => {
    const points = starts.filter(start => each.values.has(start) || !each.hasGaps).map(start => {
      const value = each.values.get(start) || 0;
      const is_whole = isWhole(start, unit);
      return {
        series: each.name, value, start, unit, is_whole, colour: `var(${each.colour})`,
        step: unit === "month" ? start.slice(0, 7) : start,
        fill: is_whole ? `var(${each.colour})` : hatch(each.colour),
        label: `${stepName(start, unit)}: ${write(value)}${shown.length > 1 ? `, ${each.name}` : ""}${is_whole ? "" : " (not complete)"}`,
      };
    });
    return isLines ? lineRows(points) : points;
  });
  showTable(
    figure.querySelector(".table"),
    [{ name: "start", title: unit === "day" ? "Day" : unit === "week" ? "Week from" : "Month", kind: "text", text: row => (unit === "month" ? row.start.slice(0, 7) : row.start), cell: row => `${unit === "month" ? monthName(row.start) : row.start}${isWhole(row.start, unit) ? "" : " (not complete)"}` },
      ...shown.map((each, at) => ({ name: `series${at}`, title: each.name, kind: write === bytes ? "bytes" : "count" }))],
    starts.map(start => Object.fromEntries([["start", start],
      ...shown.map((each, at) => [`series${at}`, each.values.has(start) ? each.values.get(start) : each.hasGaps ? null : 0])])).reverse(),
  );
  await draw(name, rows);
}

const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

// Averages of an hour of the week, as a table whose cells are coloured by their number.
function showHeat(place, sums, from, to) {
  const days = Array(7).fill(0);
  for (let day = from; day <= to; day = addDays(day, 1)) days[weekdayOf(day)] += 1;
  const average = hour => (days[Math.floor(hour / 24)] ? (sums.get(hour) || 0) / days[Math.floor(hour / 24)] : null);
  const top = Math.max(...Array.from({ length: 168 }, (_, hour) => average(hour) || 0));
  const hours = Array.from({ length: 24 }, (_, hour) => hour);
  const pad = hour => `${hour}`.padStart(2, "0");
  const rows = WEEKDAYS.map((weekday, at) => element("tr", {}, element("th", { scope: "row" }, weekday.slice(0, 3)),
    ...hours.map(hour => {
      const value = average(at * 24 + hour);
      const text = value === null ? "no complete day" : `${short.format(value)} pulls on average`;
      const depth = top && value ? (15 + (85 * value) / top).toFixed(0) : 0;
      return element("td", { style: `--depth: ${depth}%`, title: `${weekday}, ${pad(hour)}:00 to ${pad(hour + 1)}:00 UTC: ${text}`, "data-value": value === null ? null : sums.get(at * 24 + hour) || 0 },
        element("span", { class: "unseen" }, value === null ? "–" : short.format(value)));
    })));
  place.replaceChildren(element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Hour and weekday" },
    element("table", { class: "heat" }, element("caption", { class: "unseen" }, "Average pulls by weekday and hour (UTC)"),
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, element("span", { class: "unseen" }, "Weekday")),
        ...hours.map(hour => element("th", { scope: "col" }, pad(hour))))), element("tbody", {}, ...rows))),
  element("p", { class: "scale" }, "0 ", element("i"), ` ${short.format(top)} pulls an hour on average (UTC)`));
}
