"use strict";
// Elements, tables and sparklines.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

const kinds = {
  text: { cell: value => value ?? "not told" },
  time: { cell: value => value || "never" },
  count: { cell: count, isNumber: true },
  bytes: { cell: bytes, isNumber: true },
};

const ROWS_SHOWN = 15;
const tableStates = new Map();

// columns: {name, title, kind, cell(row)}; a table keeps its order and length when its rows change.
function showTable(place, columns, rows) {
  const caption = place.dataset.caption;
  const state = tableStates.get(place) || { by: null, down: true, all: false };
  tableStates.set(place, state);
  const again = () => showTable(place, columns, rows);
  if (!rows.length) {
    place.replaceChildren(element("p", { class: "empty" }, "Nothing to show for this selection."));
    return;
  }
  const sorted = [...rows];
  if (state.by) {
    const order = state.down ? -1 : 1;
    sorted.sort((a, b) => {
      const [left, right] = [a[state.by] ?? "", b[state.by] ?? ""];
      return (left > right ? 1 : left < right ? -1 : 0) * order;
    });
  }
  const heads = columns.map(column => {
    const isSorted = state.by === column.name;
    const sort = element("button", {
      type: "button",
      onclick: () => {
        state.down = isSorted ? !state.down : Boolean(kinds[column.kind].isNumber);
        state.by = column.name;
        again();
        place.querySelectorAll("th button")[columns.filter(each => each.kind).indexOf(column)].focus();
      },
    }, column.title);
    return element("th", {
      scope: "col",
      class: column.kind && kinds[column.kind].isNumber ? "number" : null,
      "aria-sort": isSorted ? (state.down ? "descending" : "ascending") : null,
    }, column.kind ? sort : column.title);
  });
  const shown = state.all ? sorted : sorted.slice(0, ROWS_SHOWN);
  const body = shown.map(row => element("tr", { "aria-current": row.isCurrent ? "true" : null }, ...columns.map((column, at) => {
    const kind = kinds[column.kind] || {};
    const value = row[column.name];
    const content = column.cell ? column.cell(row) : kind.cell(value);
    return element(at ? "td" : "th", {
      scope: at ? null : "row",
      class: kind.isNumber ? "number" : null,
      "data-column": column.name,
      "data-value": kind.isNumber ? value : null,
      title: column.kind === "bytes" && value !== null ? `${count(value)} bytes` : null,
    }, content);
  })));
  const more = rows.length > ROWS_SHOWN
    ? element("button", { type: "button", class: "more", onclick: () => { state.all = !state.all; again(); } },
      state.all ? `Show the first ${ROWS_SHOWN}` : `Show all ${count(rows.length)} rows`)
    : null;
  place.replaceChildren(
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      element("table", {}, element("caption", {}, `${caption}: ${count(rows.length)} ${rows.length === 1 ? "row" : "rows"}`),
        element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...body))),
    ...(more ? [more] : []));
}

function showList(place, facts) {
  place.replaceChildren(...facts.filter(Boolean).map(([term, text, value]) =>
    element("div", {}, element("dt", {}, term), element("dd", { "data-value": value ?? null }, text))));
}

function sparkline(values, label) {
  const [width, height] = [110, 24];
  const top = Math.max(1, ...values);
  const points = values.map((value, at) => [
    values.length > 1 ? (at * (width - 4)) / (values.length - 1) + 2 : width / 2,
    height - 3 - (value * (height - 6)) / top,
  ].map(each => each.toFixed(1)).join(","));
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  for (const [key, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }))
    svg.setAttribute(key, value);
  const line = document.createElementNS(space, points.length > 1 ? "polyline" : "circle");
  const last = points.length ? points[points.length - 1].split(",") : [0, 0];
  const shape = points.length > 1 ? { points: points.join(" ") } : { cx: last[0], cy: last[1], r: 2 };
  for (const [key, value] of Object.entries(shape)) line.setAttribute(key, value);
  svg.append(line);
  return svg;
}
