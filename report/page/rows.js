"use strict";
// The data as rows, and how values are written.
function rowsOf(table) {
  const names = Object.keys(table);
  const columns = names.map(name => {
    const column = table[name];
    return Array.isArray(column) ? column : column.at.map(at => (at === null ? null : column.texts[at]));
  });
  return Array.from({ length: columns.length ? columns[0].length : 0 }, (_, at) =>
    Object.fromEntries(names.map((name, i) => [name, columns[i][at]])));
}

async function unpack(text) {
  const packed = Uint8Array.from(atob(text), char => char.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

const WORDS = {
  end_user: "End users", ci: "CI and builds", scanner: "Scanners", housekeeping: "Housekeeping",
  admin: "Administration", lifecycle: "Lifecycle rules", unknown: "Unknown programs",
  read: "Read", head: "Check", write: "Write", delete: "Delete", list: "List", operation: "Other",
  gcp: "Google Cloud", aws: "AWS", azure: "Azure", google: "Google, outside its cloud",
  gcs_usage: "Cloud Storage usage logs", cloud_audit: "Cloud Audit Logs",
};
const UNKNOWN = "Not known";
const NO_PROGRAM = "No user agent";
const words = value => (value === null || value === undefined ? UNKNOWN
  : WORDS[value] || value[0].toUpperCase() + value.slice(1).replaceAll("_", " "));
const toolName = tool => (tool === "none" ? NO_PROGRAM : tool);

const whole = new Intl.NumberFormat("en-US");
const short = new Intl.NumberFormat("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const rate = value => (value === null ? "No log" : short.format(value));
const count = value => (value === null || value === undefined ? UNKNOWN : whole.format(value));

function bytes(value) {
  if (value === null || value === undefined) return UNKNOWN;
  const step = Math.min(5, value < 1000 ? 0 : Math.floor(Math.log10(value) / 3));
  return `${(step ? short : whole).format(value / 1000 ** step)} ${["B", "kB", "MB", "GB", "TB", "PB"][step]}`;
}

// Billionths of the currency of the seed egress_prices.
const money = value => (value === null || value === undefined ? UNKNOWN
  : new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(value / 1e9));

const share = (part, total) => (total ? `${short.format((100 * part) / total)}%` : "–");
const sum = (rows, name) => rows.reduce((total, row) => total + (row[name] || 0), 0);
const latest = (rows, name) => rows.reduce((best, row) => (row[name] > best ? row[name] : best), "");
const earliest = (rows, name) =>
  rows.reduce((best, row) => (row[name] && (!best || row[name] < best) ? row[name] : best), "");

// Sums of `totals` and the newest of `newest`, for each value of `keys`; unknown if all are.
function grouped(rows, keys, totals, newest) {
  const groups = new Map();
  for (const row of rows) {
    const key = JSON.stringify(keys.map(name => row[name]));
    let group = groups.get(key);
    if (!group) {
      group = { ...Object.fromEntries(keys.map(name => [name, row[name]])), rows: [] };
      for (const name of totals) group[name] = null;
      groups.set(key, group);
    }
    group.rows.push(row);
    for (const name of totals) if (row[name] !== null) group[name] += row[name];
    if (newest && !(group[newest] > row[newest])) group[newest] = row[newest];
  }
  return [...groups.values()];
}

// Days are texts, YYYY-MM-DD in UTC; they compare as they are.
const millis = day => Date.parse(`${day}T00:00Z`);
const dayOf = time => new Date(time).toISOString().slice(0, 10);
const addDays = (day, days) => dayOf(millis(day) + days * 86400000);
const weekdayOf = day => (new Date(millis(day)).getUTCDay() + 6) % 7;
const later = (a, b) => (a > b ? a : b);
const sooner = (a, b) => (a < b ? a : b);

function startOf(day, unit) {
  if (unit === "month") return `${day.slice(0, 7)}-01`;
  return unit === "week" ? addDays(day, -weekdayOf(day)) : day;
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

const named = (day, options) => new Date(millis(day)).toLocaleDateString("en-US", { ...options, timeZone: "UTC" });
const monthName = month => named(month, { month: "long", year: "numeric" });
const dayName = day => named(day, { month: "short", day: "numeric", year: "numeric" });
const stepName = (start, unit) =>
  unit === "month" ? monthName(start) : unit === "week" ? `Week of ${dayName(start)}` : `${named(start, { weekday: "short" })}, ${dayName(start)}`;
const rangeName = (from, to) => (from === to ? dayName(from) : `${dayName(from)} to ${dayName(to)}`);
