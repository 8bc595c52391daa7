"use strict";
// The data as rows, and how values are written.
const page = JSON.parse(document.getElementById("data").textContent);

function rowsOf(table) {
  const names = Object.keys(table);
  const columns = names.map(name => {
    const column = table[name];
    return Array.isArray(column) ? column : column.at.map(at => (at === null ? null : column.texts[at]));
  });
  return Array.from({ length: columns.length ? columns[0].length : 0 }, (_, at) =>
    Object.fromEntries(names.map((name, i) => [name, columns[i][at]])));
}

const data = Object.fromEntries(Object.entries(page.tables).map(([name, table]) => [name, rowsOf(table)]));

const whole = new Intl.NumberFormat("en-US");
const short = new Intl.NumberFormat("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const count = value => (value === null || value === undefined ? "not known" : whole.format(value));

function bytes(value) {
  if (value === null || value === undefined) return "not known";
  const step = Math.min(5, value < 1000 ? 0 : Math.floor(Math.log10(value) / 3));
  return `${(step ? short : whole).format(value / 1000 ** step)} ${["B", "kB", "MB", "GB", "TB", "PB"][step]}`;
}

const share = (part, total) => (total ? `${short.format((100 * part) / total)}%` : "0%");
const sum = (rows, name) => rows.reduce((total, row) => total + (row[name] || 0), 0);
const latest = (rows, name) => rows.reduce((best, row) => (row[name] > best ? row[name] : best), "");
const earliest = (rows, name) =>
  rows.reduce((best, row) => (row[name] && (!best || row[name] < best) ? row[name] : best), "");

// Sums of `totals` and the newest of `newest`, for each value of `keys`.
function grouped(rows, keys, totals, newest) {
  const groups = new Map();
  for (const row of rows) {
    const key = JSON.stringify(keys.map(name => row[name]));
    let group = groups.get(key);
    if (!group) {
      group = Object.fromEntries(keys.map(name => [name, row[name]]));
      for (const name of totals) group[name] = 0;
      groups.set(key, group);
    }
    for (const name of totals) group[name] += row[name] || 0;
    if (newest && !(group[newest] > row[newest])) group[newest] = row[newest];
  }
  return [...groups.values()];
}

// Days are texts, YYYY-MM-DD in UTC; they compare as they are.
const millis = day => Date.parse(`${day}T00:00Z`);
const dayOf = time => new Date(time).toISOString().slice(0, 10);
const addDays = (day, days) => dayOf(millis(day) + days * 86400000);

function startOf(day, unit) {
  if (unit === "month") return `${day.slice(0, 7)}-01`;
  return unit === "week" ? addDays(day, -((new Date(millis(day)).getUTCDay() + 6) % 7)) : day;
}

function nextStart(start, unit) {
  if (unit !== "month") return addDays(start, unit === "week" ? 7 : 1);
  return startOf(addDays(start, 31), "month");
}

// Every step of a range, those without data too: nothing happened then.
function steps(from, to, unit) {
  const starts = [];
  for (let start = startOf(from, unit); start <= to; start = nextStart(start, unit)) starts.push(start);
  return starts;
}

const monthName = month =>
  new Date(millis(month)).toLocaleDateString("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
const stepName = (start, unit) =>
  unit === "month" ? monthName(start) : unit === "week" ? `week of ${start}` : start;
