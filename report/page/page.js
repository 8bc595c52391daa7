"use strict";
// Filters, their state in the address, and the start.
const $ = id => document.getElementById(id);
const FILTERS = ["source", "host", "project", "image", "class", "tool"];
const MOST_STEPS = 160;
const DEFAULTS = { period: "last_30_days", unit: "day", idle: "30" };
let page, data, pullIndex, placeOf, shownImages, days, firstDay, firstPlottedDay, newestHour, newestDay, newestWholeDay;
const choices = {};
const levelIndex = {};
let logs; // by source: the hours that the log covers, by day
let covering = []; // the logs that have what is chosen

function indexed(rows, keyOf) {
  const index = new Map();
  for (const row of rows) {
    const key = keyOf(row);
    if (!index.has(key)) index.set(key, []);
    index.get(key).push(row);
  }
  return index;
}

function index() {
  data = Object.fromEntries(Object.entries(page.tables).map(([name, table]) => [name, rowsOf(table)]));
  data.log_days = data.log_days.filter(row => row.log_date > "1970-01-01");
  pullIndex = indexed(data.pulls, row => `${row.period} ${row.image_level} ${row.client_level}`);
  for (const name of ["hours", "programs", "networks", "clouds", "durations"])
    levelIndex[name] = indexed(data[name], row => `${row.period} ${row.image_level}`);
  placeOf = new Map(data.images.map(row => [row.image, row]));
  shownImages = new Set(data.pulls.filter(row => row.image_level === "image" && row.image !== null).map(row => row.image));
  days = (pullIndex.get("day all all") || []).map(row => row.period_start).sort();
  logs = new Map([...indexed(data.log_days.filter(row => row.first_covered_hour !== null), row => row.log_source)].map(([source, rows]) => [source, {
    hours: new Map(rows.map(row => [row.log_date, row])), first: earliest(rows, "log_date"), last: latest(rows, "log_date"),
  }]));
  newestHour = latest(data.log_days, "newest_hour");
  newestDay = later(days.at(-1) || "", newestHour.slice(0, 10)) || page.made_at.slice(0, 10);
  newestWholeDay = data.extent[0]?.newest_complete_date || newestDay;
  const firstPull = earliest(data.quality, "pull_date");
  firstDay = earliest(data.log_days, "log_date") || firstPull || newestDay;
  // pulls by day are those of the newest days only
  firstPlottedDay = later(data.extent[0]?.first_plotted_date || "", firstPull);
}

// The logs that can have pulls of a place: a project that has moved has two.
function logsOf(at) {
  if (at.source !== undefined) return [logs.get(at.source)].filter(Boolean);
  const found = (pullIndex.get(`all ${at.place} all`) || []).filter(row => isAtPlace({ ...row, log_source: undefined }, at));
  const sources = new Set(found.map(row => row.log_source).filter(source => source !== null));
  return [...logs].filter(([source]) => !sources.size || sources.has(source)).map(([, log]) => log);
}

const isHour = (log, day, hour) => {
  const row = log.hours.get(day);
  return row !== undefined && row.first_covered_hour <= hour && row.last_covered_hour >= hour;
};
const isLoggedHour = (day, hour) => covering.some(log => isHour(log, day, hour));
const isLoggedDay = day => covering.some(log => log.hours.has(day));
// A log that has begun before the day and goes on after it has to cover it, too.
const isWholeDay = day => day <= newestWholeDay
  && covering.some(log => isHour(log, day, 0) && isHour(log, day, 23))
  && covering.every(log => day <= log.first || day >= log.last || (isHour(log, day, 0) && isHour(log, day, 23)));

function everyDay(from, to, holds) {
  for (let day = from; day <= to; day = addDays(day, 1)) if (!holds(day)) return false;
  return true;
}

// Choices are {value, text, row}: `row` has the values of the filter.
function fill(id, everything, found) {
  const chosen = $(id).value;
  choices[id] = new Map(found.map(choice => [choice.value, choice.row]));
  $(id).replaceChildren(element("option", { value: "" }, everything),
    ...found.map(({ value, text }) => element("option", { value, selected: value === chosen }, text)));
}

const distinct = (rows, value, text) => [...new Map(rows.map(row => [value(row), { value: value(row), text: text(row), row }])).values()]
  .sort((a, b) => (a.text < b.text ? -1 : 1));

function fillFilters() {
  const known = (place, caller) => pullIndex.get(`all ${place} ${caller}`) || [];
  const sources = distinct(known("all", "all").filter(row => row.log_source !== null), row => row.log_source, row => words(row.log_source));
  $("source").closest("label").hidden = sources.length < 2;
  fill("source", "All sources", sources);
  fill("host", "All hosts", distinct(known("host", "all").filter(row => row.registry_host !== null), row => row.registry_host, row => row.registry_host));
  const host = choices.host.get($("host").value)?.registry_host;
  fill("project", "All projects", distinct(known("project", "all").filter(row => row.registry_host !== null && (!host || row.registry_host === host)),
    row => `${row.registry_host}/${row.project_id ?? ""}`, row => `${row.project_id ?? "No project"}${host ? "" : ` on ${row.registry_host}`}`));
  const project = choices.project.get($("project").value);
  fill("image", "All images", distinct(known("image", "all").filter(row => row.image !== null && (!host || row.registry_host === host)
    && (!project || (row.registry_host === project.registry_host && row.project_id === project.project_id))), row => row.image, row => row.image));
  fill("class", "All classes", distinct(known("all", "class"), row => row.traffic_class, row => words(row.traffic_class)));
  const cls = $("class").value;
  fill("tool", "All programs", distinct(known("all", "tool").filter(row => !cls || row.traffic_class === cls),
    row => `${row.traffic_class}/${row.client_tool}`, row => `${toolName(row.client_tool)}${cls ? "" : ` (${words(row.traffic_class)})`}`));
}

function fillPeriods() {
  const months = [...new Set((levelIndex.programs.get("month all") || []).map(row => row.period_start))].sort().reverse();
  $("period").replaceChildren(
    ...[["last_7_days", "Last 7 complete days"], ["last_30_days", "Last 30 complete days"], ["last_90_days", "Last 90 complete days"], ["all", "All time"]]
      .concat(months.map(month => [month, monthName(month)]))
      .map(([value, text]) => element("option", { value }, text)));
}

// What is chosen, as the rows have it: undefined means all, null what is not known.
function selection() {
  const of = id => choices[id].get($(id).value) || {};
  const at = {
    unit: $("unit").value, period: $("period").value, source: of("source").log_source,
    host: of("host").registry_host, class: of("class").traffic_class,
  };
  for (const place of [of("project"), of("image")].filter(place => place.registry_host !== undefined))
    Object.assign(at, { host: place.registry_host, project: place.project_id });
  if (of("image").image) at.image = of("image").image;
  if (of("tool").client_tool) Object.assign(at, { class: of("tool").traffic_class, tool: of("tool").client_tool });
  at.place = ["image", "project", "host"].find(place => at[place] !== undefined) || "all";
  at.caller = at.tool !== undefined ? "tool" : at.class !== undefined ? "class" : "all";
  covering = logsOf(at);
  Object.assign(at, rangeOf(at.period));
  at.plotFrom = at.from;
  at.plotTo = at.period === "month" ? at.to : newestDay;
  if (at.unit === "day" && ((at.place === "image" && at.caller === "tool") || at.from < firstPlottedDay && firstDay < firstPlottedDay)) at.unit = "week";
  if (at.unit === "week" && steps(at.plotFrom, at.plotTo, "week").length > MOST_STEPS) at.unit = "month";
  return at;
}

// The days of a period, and those of the one before if the log covers both completely.
function rangeOf(period) {
  if (period === "all") return { from: firstDay, to: newestDay };
  if (/^\d/.test(period)) {
    const [to, start] = [addDays(nextStart(period, "month"), -1), startOf(addDays(period, -1), "month")];
    return {
      period: "month", start: period, from: later(period, firstDay), to: sooner(to, newestDay),
      before: everyDay(start, to, isWholeDay) && { period: "month", start, from: start, to: addDays(period, -1) },
    };
  }
  const length = Number(period.match(/\d+/)[0]);
  const [from, start] = [addDays(newestWholeDay, 1 - length), addDays(newestWholeDay, 1 - 2 * length)];
  return {
    from: later(from, firstDay), to: newestWholeDay,
    before: everyDay(start, newestWholeDay, isWholeDay) && { period: `previous_${length}_days`, from: start, to: addDays(from, -1) },
  };
}

function describe(at) {
  const chosen = id => $(id).selectedOptions[0].textContent;
  const parts = FILTERS.filter(id => $(id).value).map(chosen);
  const isCut = at.plotTo > newestWholeDay;
  const range = steps(at.from, at.to, "day");
  const logged = range.filter(isLoggedDay).length;
  return [
    `${parts.join(", ") || "Everything"}, ${rangeName(at.from, at.to)} (UTC).`,
    isCut && `The log reaches ${newestHour} UTC: ${dayName(newestDay)} is not complete${at.to < newestDay ? ", and not in the totals" : ""}.`,
    logged < range.length && `The log covers ${count(logged)} of these ${count(range.length)} days.`,
    $("unit").value !== at.unit && `Shown by ${at.unit}: this page does not have all of these days.`,
  ].filter(Boolean).join(" ");
}

function addressOf(changes = {}) {
  const state = new URLSearchParams();
  const values = { ...Object.fromEntries(FILTERS.map(id => [id, $(id).value])), period: $("period").value, unit: $("unit").value, idle: $("idle-days").value, ...changes };
  for (const { name, by, down, search } of tableStates.values())
    Object.assign(values, { [`${name}.sort`]: by && `${down ? "-" : ""}${by}`, [`${name}.search`]: search });
  for (const [name, value] of Object.entries(values)) if (value && value !== DEFAULTS[name]) state.set(name, value);
  return `${location.pathname}${state.size ? `?${state}` : ""}`;
}

function imageLink(image) {
  return element("a", {
    href: addressOf({ image, host: "", project: "" }),
    onclick: event => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      history.pushState(null, "", addressOf({ image, host: "", project: "" }));
      readAddress();
      $("h-image").focus();
    },
  }, image);
}

function readAddress() {
  const state = new URLSearchParams(location.search);
  tableStates.clear();
  for (const id of FILTERS) $(id).value = "";
  fillFilters();
  for (const id of FILTERS) { // a project's and a tool's choices depend on those before
    if (choices[id].has(state.get(id))) $(id).value = state.get(id);
    fillFilters();
  }
  for (const [name, value] of Object.entries({ period: state.get("period"), unit: state.get("unit") })) {
    $(name).value = value;
    if (!$(name).value) $(name).value = DEFAULTS[name];
  }
  $("idle-days").value = state.get("idle") ?? DEFAULTS.idle;
  changed();
}

function show() {
  fillFilters();
  const at = selection();
  $("selection").textContent = days.length ? describe(at) : "";
  for (const section of [showTotals, showTime, showImages, showImage, showCallers, showClasses, showFailures, showPushes, showStorage, showEgress, showDurations, showIdle, showTags, showQuality]) section(at);
}

const keepAddress = () => history.replaceState(null, "", addressOf() + location.hash);

function changed() {
  show();
  keepAddress();
}

async function start() {
  page = await unpack($("data").textContent.trim());
  index();
  $("notice").hidden = days.length > 0;
  $("notice").textContent = "No pulls yet: no logs are loaded, or they hold no pulls.";
  fillPeriods();
  $("filters").addEventListener("change", changed);
  $("filters").addEventListener("reset", event => {
    event.preventDefault();
    history.replaceState(null, "", location.pathname);
    readAddress();
  });
  $("idle-days").addEventListener("input", changed);
  addEventListener("popstate", readAddress);
  readAddress();
  document.body.dataset.ready = "true";
  if (location.hash) $(location.hash.slice(1))?.scrollIntoView();
}

start().catch(error => {
  $("notice").hidden = false;
  $("notice").textContent = `This browser can't show the page: ${error.message}`;
  throw error;
});
