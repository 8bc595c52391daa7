"use strict";
// Filters, the sections that take sums over days, and the start.
const $ = id => document.getElementById(id);
const ALL = "";
const pullIndex = new Map();
for (const row of data.pulls) {
  const key = `${row.period} ${row.image_level} ${row.client_level}`;
  if (!pullIndex.has(key)) pullIndex.set(key, []);
  pullIndex.get(key).push(row);
}
const placeOf = new Map(data.images.map(row => [row.image, row]));
const shownImages = new Set(data.pulls.filter(row => row.image_level === "image" && row.image !== null).map(row => row.image));
const days = data.pulls.filter(row => row.period === "day" && row.image_level === "all").map(row => row.period_start).sort();
const firstDay = earliest(data.images, "first_pulled_at").slice(0, 10);
const newestHour = latest(data.log_days, "newest_hour");
const newestDay = [days.at(-1) || "", newestHour.slice(0, 10)].sort().at(-1) || page.made_at.slice(0, 10);

function options(select, everything, choices, chosen) {
  select.replaceChildren(element("option", { value: ALL }, everything),
    ...choices.map(([value, text]) => element("option", { value, selected: value === chosen }, text)));
  if (![...select.options].some(each => each.value === chosen)) select.value = ALL;
}

const distinct = (rows, keys) => [...new Set(rows.map(row => JSON.stringify(keys.map(key => row[key]))))].sort();

function fillFilters() {
  const known = data.pulls.filter(row => row.period === "all");
  options($("host"), "All hosts", distinct(known.filter(row => row.image_level === "host" && row.registry_host !== null), ["registry_host"])
    .map(key => [key, JSON.parse(key)[0]]), $("host").value);
  const host = $("host").value && JSON.parse($("host").value)[0];
  options($("project"), "All projects", distinct(known.filter(row => row.image_level === "project" && row.registry_host !== null
    && (!host || row.registry_host === host)), ["registry_host", "project_id"])
    .map(key => [key, `${JSON.parse(key)[1] ?? "no project"}${host ? "" : ` on ${JSON.parse(key)[0]}`}`]), $("project").value);
  const project = $("project").value && JSON.parse($("project").value);
  options($("image"), "All images", [...shownImages].sort().filter(image => {
    const place = placeOf.get(image) || {};
    return (!host || place.registry_host === host) && (!project || (place.registry_host === project[0] && place.project_id === project[1]));
  }).map(image => [image, image]), $("image").value);
  options($("class"), "All classes", distinct(known.filter(row => row.client_level === "class" && row.image_level === "all"), ["traffic_class"])
    .map(key => [key, JSON.parse(key)[0]]), $("class").value);
  const cls = $("class").value && JSON.parse($("class").value)[0];
  options($("tool"), "All tools", distinct(known.filter(row => row.client_level === "tool" && row.image_level === "all" && (!cls || row.traffic_class === cls)), ["traffic_class", "client_tool"])
    .map(key => [key, cls ? JSON.parse(key)[1] : `${JSON.parse(key)[1]} (${JSON.parse(key)[0]})`]), $("tool").value);
}

function fillPeriods() {
  const months = [...new Set(data.pulls.filter(row => row.period === "month" && row.image_level === "all").map(row => row.period_start))].sort().reverse();
  $("period").replaceChildren(
    ...[["last_7_days", "Last 7 days"], ["last_30_days", "Last 30 days"], ["last_90_days", "Last 90 days"], ["all", "All time"]]
      .concat(months.map(month => [month, monthName(month)]))
      .map(([value, text]) => element("option", { value, selected: value === "last_90_days" }, text)));
}

// What is chosen, as the rows have it: undefined means all, null what can't be told.
function selection() {
  const at = { unit: $("unit").value, period: $("period").value };
  if ($("host").value) [at.host] = JSON.parse($("host").value);
  if ($("project").value) [at.host, at.project] = JSON.parse($("project").value);
  if ($("image").value) {
    at.image = $("image").value;
    at.host = placeOf.get(at.image).registry_host;
    at.project = placeOf.get(at.image).project_id;
  }
  at.place = ["image", "project", "host"].find(place => at[place] !== undefined) || "all";
  if ($("class").value) [at.class] = JSON.parse($("class").value);
  if ($("tool").value) [at.class, at.tool] = JSON.parse($("tool").value);
  at.caller = at.tool !== undefined ? "tool" : at.class !== undefined ? "class" : "all";
  if (/^\d/.test(at.period)) {
    at.start = at.period;
    at.period = "month";
    at.from = at.start;
    at.to = addDays(nextStart(at.start, "month"), -1);
  } else if (at.period !== "all") {
    const window = data.pulls.find(row => row.period === at.period);
    at.from = window && window.period_start;
  }
  if (at.unit === "day" && ((at.place === "image" && at.caller === "tool") || at.to < days[0])) at.unit = "week";
  const oldest = earliest(pullIndex.get(`${at.unit} all all`) || [], "period_start");
  at.plotFrom = [at.from || "", oldest || newestDay].sort().at(-1);
  at.plotTo = [at.to || newestDay, newestDay].sort()[0];
  return at;
}

// Days summed to steps: for what adds up.
function bySteps(rows, day, name, unit) {
  const values = new Map();
  for (const row of rows) {
    const start = startOf(row[day], unit);
    values.set(start, (values.get(start) || 0) + (name ? row[name] : 1));
  }
  return values;
}

function showClasses(at) {
  const rows = pullRows({ ...at, tool: undefined }, at.unit, at.place, "class");
  showPlot("classes", steps(at.plotFrom, at.plotTo, at.unit), at.unit,
    distinct(pullIndex.get("all all class") || [], ["traffic_class"]).map(key => ({
      name: JSON.parse(key)[0], values: valuesOf(rows.filter(row => row.traffic_class === JSON.parse(key)[0]), "pulls"),
    })), count);
  const requests = data.traffic.filter(row => inRange(row.traffic_date, at) && (at.class === undefined || row.traffic_class === at.class));
  showTable($("requests"), [
    { name: "traffic_class", title: "Class", kind: "text" },
    { name: "operation", title: "Operation", kind: "text" },
    { name: "requests", title: "Requests", kind: "count" },
    { name: "errors", title: "Errors", kind: "count" },
    { name: "response_bytes", title: "Bytes sent", kind: "bytes" },
  ], grouped(requests, ["traffic_class", "operation"], ["requests", "errors", "response_bytes"]).sort((a, b) => b.requests - a.requests));
}

function showPushes(at) {
  const rows = data.pushes.filter(row => isAtPlace(row, at) && isByCaller(row, at) && inRange(row.pushed_date, at));
  const from = [at.from || "", earliest(data.pushes, "pushed_date") || newestDay].sort().at(-1);
  showPlot("pushes", steps(from, at.plotTo, at.unit), at.unit, [{ name: "pushes", values: bySteps(rows, "pushed_date", "pushes", at.unit) }], count);
  showTable($("pushes"), [
    { name: "image", title: "Image", kind: "text" },
    { name: "pushes", title: "Pushes", kind: "count" },
    { name: "written_bytes", title: "Bytes written", kind: "bytes" },
    { name: "last_pushed_at", title: "Last pushed (UTC)", kind: "time" },
  ], grouped(rows, ["image"], ["pushes", "written_bytes"], "last_pushed_at").sort((a, b) => b.pushes - a.pushes));
}

function showStorage(at) {
  const rows = data.storage.filter(row => inRange(row.storage_date, at));
  const buckets = [...new Set(rows.map(row => row.bucket_name))].sort();
  const largest = buckets.map(bucket => [latest(rows.filter(row => row.bucket_name === bucket), "stored_bytes"), bucket])
    .sort((a, b) => b[0] - a[0]).slice(0, 7).map(each => each[1]);
  const from = earliest(rows, "storage_date");
  showPlot("stored", from ? steps(from, latest(rows, "storage_date"), "day") : [], "day", largest.map(bucket => ({
    name: bucket, hasGaps: true,
    values: new Map(rows.filter(row => row.bucket_name === bucket).map(row => [row.storage_date, row.stored_bytes])),
  })), bytes);
  if (!data.storage.length) document.querySelector("#chart-stored .empty").textContent = "No storage logs have landed, so nothing is known of what is stored.";
}

function showIdle(at) {
  const least = Math.max(0, Number.parseInt($("idle-days").value, 10) || 0);
  const rows = data.images.filter(row => isAtPlace(row, at)).map(row => ({
    ...row, idle: row.last_pulled_at ? Math.floor((millis(newestDay) - millis(row.last_pulled_at.slice(0, 10))) / 86400000) : null,
  })).filter(row => row.idle === null || row.idle >= least).sort((a, b) => (b.idle ?? Infinity) - (a.idle ?? Infinity));
  $("idle-hint").textContent = `days before ${newestDay}, the newest day of the log: ${count(rows.length)} of ${count(data.images.length)} images. Images that were never pulled are known from an inventory only.`;
  showTable($("idle"), [
    { name: "image", title: "Image", kind: "text" },
    { name: "idle", title: "Days without a pull", kind: "count", cell: row => (row.idle === null ? "never pulled" : count(row.idle)) },
    { name: "last_pulled_at", title: "Last pulled (UTC)", kind: "time" },
    { name: "pulls", title: "Pulls, all time", kind: "count" },
    { name: "image_ids", title: "Builds", kind: "count" },
  ], rows);
}

function showHealth() {
  const rows = data.log_days;
  const [received, doubled, late, missing] = ["received_rows", "redelivered_rows", "late_rows", "missing_hours"].map(name => sum(rows, name));
  const hasLedger = rows.some(row => row.rejected_lines !== null);
  const pulls = sum(data.attribution, "pulls");
  const untold = sum(data.attribution.filter(row => row.attribution === "none"), "pulls");
  const unnamed = sum(data.attribution.filter(row => row.image_id_source === "none"), "pulls");
  showList($("health"), [
    ["Newest hour of the log", newestHour ? `${newestHour} UTC` : "nothing has landed", newestHour],
    ["Newest arrival", latest(rows, "last_loaded_at") ? `${latest(rows, "last_loaded_at")} UTC` : "none"],
    ["Hours without a record", `${count(missing)} between the first and the newest; nights without traffic are among them`, missing],
    ["Doubled rows", `${count(doubled)} of ${count(received)} (${share(doubled, received)}); each counts once`, doubled],
    ["Late rows", `${count(late)} (${share(late, received)}) came after rows of a later day`, late],
    ["Rejected lines", hasLedger ? count(sum(rows, "rejected_lines")) : "not known: the loader's ledger is not here", hasLedger ? sum(rows, "rejected_lines") : null],
    ["Unattributed reads", `${count(untold)} of ${count(pulls)} pulls (${share(untold, pulls)}) can't be given to an image`, untold],
    ["Builds not told", `${count(unnamed)} of ${count(pulls)} pulls (${share(unnamed, pulls)})`, unnamed],
  ]);
  showTable($("log-days"), [
    { name: "log_date", title: "Day (UTC)", kind: "text" },
    { name: "received_rows", title: "Rows", kind: "count" },
    { name: "redelivered_rows", title: "Doubled", kind: "count" },
    { name: "late_rows", title: "Late", kind: "count" },
    { name: "rejected_lines", title: "Rejected lines", kind: "count" },
    { name: "missing_hours", title: "Hours missing before", kind: "count" },
    { name: "last_loaded_at", title: "Last arrival (UTC)", kind: "time" },
  ], [...rows].sort((a, b) => (a.log_date < b.log_date ? 1 : -1)));
}

function describe(at) {
  const chosen = id => $(id).selectedOptions[0].textContent;
  const parts = ["host", "project", "image", "class", "tool"].filter(id => $(id).value).map(chosen);
  const range = at.from ? `${at.from} to ${at.plotTo}` : "";
  return `Shown: ${[parts.join(", ") || "everything", chosen("period").toLowerCase().replace(/^\w+ \d{4}$/, chosen("period")), range].filter(Boolean).join("; ")} (UTC).`
    + (at.unit === "day" && (at.from || firstDay) < days[0] && firstDay < days[0] ? ` Plots by day begin on ${days[0]}; weeks and months have all.` : "")
    + ($("unit").value !== at.unit ? " By week: these days are not in this page." : "");
}

function show() {
  fillFilters();
  const at = selection();
  $("selection").textContent = days.length ? describe(at) : "There are no pulls in these tables yet.";
  for (const section of [showTotals, showTime, showImages, showImage, showCallers, showClasses, showPushes, showStorage, showIdle]) section(at);
}

function chooseImage(image) {
  $("host").value = $("project").value = ALL;
  fillFilters();
  $("image").value = image;
  show();
  $("h-image").focus();
}

const unbuilt = data.marts.filter(row => !row.is_built).map(row => row.mart);
const notices = [
  unbuilt.length && `Not built yet: ${unbuilt.join(", ")}. dbt build makes them; what needs them is empty here.`,
  !unbuilt.length && !days.length && "The tables are there but hold no pulls: either no logs have landed, or they have none.",
].filter(Boolean);
$("notice").hidden = !notices.length;
$("notice").textContent = notices.join(" ");
fillPeriods();
$("filters").addEventListener("change", show);
$("filters").addEventListener("reset", () => setTimeout(() => { for (const id of ["host", "project", "image", "class", "tool"]) $(id).value = ALL; show(); }));
$("idle-days").addEventListener("input", () => showIdle(selection()));
if (days.length) $("extent").prepend(`Pulls from ${firstDay} to ${days.at(-1)}. `);
showHealth();
show();
