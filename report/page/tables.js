"use strict";
// Elements, tables and sparklines. A table's order and search are in the address.
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
  text: { write: value => value ?? UNKNOWN },
  word: { write: words },
  time: { write: value => value || "Never" },
  count: { write: count, isNumber: true },
  rate: { write: rate, isNumber: true },
  bytes: { write: bytes, isNumber: true },
  money: { write: money, isNumber: true },
};

const ROWS_SHOWN = 15;
const tableStates = new Map();

const written = (row, column) =>
  (column.text ? column.text(row) : column.kind ? kinds[column.kind].write(row[column.name]) : "");

// A text that a spreadsheet would take for a formula gets a quote in front, and so does one within a text:
// where decimals have commas, a semicolon begins a cell.
const csvCell = value => {
  const text = typeof value === "string"
    ? value.replace(/(^|[;\t\r\n])(?=["'\s]*[=+\-@])/g, "$1'")
    : `${value ?? ""}`;
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

function csv(columns, rows) {
  const kept = columns.filter(column => column.kind);
  return [kept.map(column => column.title), ...rows.map(row => kept.map(column =>
    (kinds[column.kind].isNumber ? row[column.name] : row[column.name] === null && !column.text ? "" : written(row, column))))]
    .map(line => line.map(csvCell).join(",")).join("\r\n");
}

function download(name, text) {
  const link = element("a", { href: URL.createObjectURL(new Blob([`${text}\r\n`], { type: "text/csv" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// The frame of a table: made once, so that typing into its search keeps the focus.
function frameOf(place) {
  if (tableStates.has(place)) return tableStates.get(place);
  const [caption, name, kept] = [place.dataset.caption, place.dataset.file || place.id, new URLSearchParams(location.search)];
  const order = kept.get(`${name}.sort`) || "";
  const state = { name, by: order.replace(/^-/, ""), down: order.startsWith("-"), all: false, search: kept.get(`${name}.search`) || "" };
  const search = element("input", {
    type: "search", placeholder: "Search", "aria-label": `Search: ${caption}`, value: state.search,
    oninput: event => { state.search = event.target.value; state.again(); keepAddress(); },
  });
  const save = element("button", {
    type: "button", class: "csv", "aria-label": `Download as CSV: ${caption}`,
    onclick: () => download(`${name}.csv`, csv(state.columns, state.found)),
  }, "CSV");
  state.bar = element("div", { class: "bar" }, search, save);
  state.rest = element("div");
  place.replaceChildren(state.bar, state.rest);
  tableStates.set(place, state);
  return state;
}

function inOrder(rows, state) {
  if (!state.by) return rows;
  const order = state.down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [a[state.by] ?? "", b[state.by] ?? ""];
    return (left > right ? 1 : left < right ? -1 : 0) * order;
  });
}

// columns: {name, title, kind, text(row), cell(row), isShare}; a table keeps its order, length and
// search when its rows change. With isShare a bar shows the part of `whole`, else of all rows' sum.
function showTable(place, columns, rows) {
  const state = frameOf(place);
  const again = () => showTable(place, columns, rows);
  const matches = row => columns.some(column => `${written(row, column)}`.toLowerCase().includes(state.search.toLowerCase()));
  const found = inOrder(state.search ? rows.filter(matches) : rows, state);
  Object.assign(state, { columns, found, again });
  state.bar.hidden = !rows.length;
  if (!found.length) {
    state.rest.replaceChildren(element("p", { class: "empty" }, rows.length ? "No row matches the search." : "No rows in this selection."));
    return;
  }
  const sums = Object.fromEntries(columns.filter(column => column.isShare).map(column => [column.name, column.whole ?? sum(rows, column.name)]));
  const heads = columns.map(column => head(column, columns, state, place));
  const shown = state.all ? found : found.slice(0, ROWS_SHOWN);
  const body = shown.map(row => element("tr", { "aria-current": row.isCurrent ? "true" : null },
    ...columns.map((column, at) => cell(row, column, at, sums))));
  const size = state.search ? `${count(found.length)} of ${count(rows.length)} rows` : `${count(rows.length)} ${rows.length === 1 ? "row" : "rows"}`;
  const more = found.length > ROWS_SHOWN
    ? element("button", { type: "button", class: "more", onclick: () => { state.all = !state.all; again(); } },
      state.all ? `Show the first ${ROWS_SHOWN}` : `Show all ${count(found.length)} rows`)
    : null;
  state.rest.replaceChildren(
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": place.dataset.caption },
      element("table", {}, element("caption", { class: "unseen" }, `${place.dataset.caption}, ${size}`),
        element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...body))),
    element("p", { class: "size" }, size, more));
}

function head(column, columns, state, place) {
  const isSorted = state.by === column.name;
  const isNumber = column.kind && kinds[column.kind].isNumber;
  const sort = element("button", {
    type: "button",
    onclick: () => {
      state.down = isSorted ? !state.down : Boolean(isNumber);
      state.by = column.name;
      state.again();
      keepAddress();
      place.querySelectorAll("th button")[columns.filter(each => each.kind).indexOf(column)].focus();
    },
  }, column.title);
  return element("th", {
    scope: "col", class: isNumber ? "number" : null,
    "aria-sort": isSorted ? (state.down ? "descending" : "ascending") : null,
  }, column.kind ? sort : column.title);
}

function cell(row, column, at, sums) {
  const value = row[column.name];
  const isNumber = column.kind && kinds[column.kind].isNumber;
  const part = column.isShare && value !== null && sums[column.name] ? value / sums[column.name] : null;
  const content = column.cell ? column.cell(row) : written(row, column);
  return element(at ? "td" : "th", {
    scope: at ? null : "row",
    class: [isNumber ? "number" : column.kind === "text" ? "text" : "", part === null ? "" : "share"].join(" ").trim() || null,
    style: part === null ? null : `--part: ${(100 * part).toFixed(1)}%`,
    "data-column": column.name,
    "data-value": isNumber ? value : null,
    title: column.kind === "bytes" && value !== null ? `${count(value)} bytes` : null,
  }, content, part === null ? null : element("small", {}, ` ${share(value, sums[column.name])}`));
}

// facts: [term, text, value, note]
function showList(place, facts) {
  place.replaceChildren(...facts.filter(Boolean).map(([term, text, value, note]) =>
    element("div", {}, element("dt", {}, term), element("dd", { "data-value": value ?? null }, text, note || null))));
}

// Bars from zero, each with its own tooltip; the highest is written beside them: rows have different scales.
function sparkline(points, write) {
  const top = Math.max(...points.map(point => point.value));
  return element("span", { class: "spark", style: `--points: ${points.length}`, role: "img", "aria-label": points.map(point => `${point.name}: ${point.value}`).join("; ") },
    ...points.map(point => element("i", {
      title: `${point.name}: ${write(point.value)}`, style: `--tall: ${top ? (100 * point.value) / top : 0}%`,
    })), element("small", {}, `max. ${write(top)}`));
}
