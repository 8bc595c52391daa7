"use strict";
// What each section shows for the selection `at`: see selection() in page.js.
function isAtPlace(row, at) {
  return (at.source === undefined || row.log_source === undefined || row.log_source === at.source)
    && (at.host === undefined || row.registry_host === at.host)
    && (at.project === undefined || row.project_id === at.project)
    && (at.image === undefined || row.image === at.image);
}

const isByCaller = (row, at) => (at.class === undefined || row.traffic_class === at.class)
  && (at.tool === undefined || row.client_tool === at.tool);
const isFrom = (row, at) => at.source === undefined || row.log_source === at.source;
const inRange = (day, at) => day >= at.from && day <= at.to;
const byPulls = (a, b) => b.pulls - a.pulls || b.served_bytes - a.served_bytes;

// Rows that hold one period, source and image level each; clients of several can't be added up.
const atLevel = (rows, at) => (rows || []).filter(row => row.log_source === (at.source ?? null) && isAtPlace(row, at));
const levelRows = (name, at) => atLevel(levelIndex[name].get(`${at.period} ${at.place}`), at);
const pullRows = (at, period, place, caller) =>
  atLevel(pullIndex.get(`${period} ${place} ${caller}`), at).filter(row => isByCaller(row, at));
const ofPeriod = (rows, start) => (start === undefined ? rows : rows.filter(row => row.period_start === start));
const total = (at, place = at.place, caller = at.caller) => ofPeriod(pullRows(at, at.period, place, caller), at.start);
const before = (at, place = at.place, caller = at.caller) =>
  (at.before ? ofPeriod(pullRows(at, at.before.period, place, caller), at.before.start) : []);
const valuesOf = (rows, name) => new Map(rows.map(row => [row.period_start, row[name]]));
const classColour = name => (WORDS[name] ? `--class-${name}` : "--class-unknown");

// Shows which of the chosen filters a section does not follow.
function note(section, at, follows, why) {
  const chosen = ["source", "host", "project", "image", "class", "tool"].filter(name => $(name).value && !follows.includes(name));
  const place = document.querySelector(`#${section} .unfiltered`);
  place.hidden = !chosen.length;
  place.textContent = chosen.length ? `Not filtered by ${chosen.join(", ").replace("class", "traffic class").replace("tool", "program")}: ${why}` : "";
}

function change(now, then) {
  if (!then) return now ? "new" : "±0%";
  const percent = Math.round((100 * (now - then)) / then);
  return percent > 0 ? `▲ ${whole.format(percent)}%` : percent < 0 ? `▼ ${whole.format(-percent)}%` : "±0%";
}

function showTotals(at) {
  const row = total(at)[0];
  const then = before(at)[0] || {};
  const of = name => (row ? row[name] : 0);
  const fact = (term, name, write) => [term, write(of(name)), of(name),
    at.before && of(name) !== null ? element("small", { class: "change", title: `${write(then[name] || 0)} in the period before` }, ` ${change(of(name), then[name] || 0)}`) : null];
  showList($("totals"), [
    fact("Pulls", "pulls", count),
    fact("Pulls by end users", "end_user_pulls", count),
    fact("Clients", "clients", count),
    fact("Clients that are end users", "end_user_clients", count),
    fact("Bytes served", "served_bytes", bytes),
    fact("Interrupted or failed", "incomplete_pulls", count),
  ]);
  $("compared").textContent = at.before
    ? `Changes are against ${rangeName(at.before.from, at.before.to)}.`
    : at.period === "all" ? "" : "No comparison: the log does not cover all days of this period and the one before it.";
}

function showTime(at) {
  const starts = steps(at.plotFrom, at.plotTo, at.unit);
  const rows = pullRows(at, at.unit, at.place, at.caller);
  const isAll = at.class === undefined;
  const name = isAll ? "All" : at.tool === undefined ? words(at.class) : toolName(at.tool);
  const colour = isAll ? "--all" : classColour(at.class);
  const pair = (all, endUsers) => [{ name, colour, values: valuesOf(rows, all) }]
    .concat(isAll ? [{ name: words("end_user"), colour: classColour("end_user"), values: valuesOf(rows, endUsers) }] : []);
  showPlot("pulls", starts, at.unit, pair("pulls", "end_user_pulls"), count);
  showPlot("clients", starts, at.unit, pair("clients", "end_user_clients"), count);
  $("bytes-hint").hidden = !(pullIndex.get("all all all") || []).some(each => each.served_bytes === null && (at.source ?? each.log_source) === each.log_source);
  showPlot("served", starts, at.unit, [{ name, colour, values: valuesOf(rows, "served_bytes") }], bytes);
  const sums = new Map();
  const counted = at.class === "end_user" ? "end_user_pulls" : "pulls";
  for (const row of ofPeriod(levelRows("hours", at), at.start)) sums.set(row.hour_of_week, row[counted]);
  const to = sooner(at.to, newestWholeDay);
  showHours(sums, at.from, to);
  note("chart-hours", at, ["source", "host", "project", "image"].concat(at.class === "end_user" && at.tool === undefined ? ["class"] : []),
    "hours are counted for all programs and for end users only.");
}

function showImages(at) {
  const wide = { ...at, image: undefined, place: at.project !== undefined ? "project" : at.host !== undefined ? "host" : "all" };
  const [whole = {}] = total(wide);
  const lastPulled = new Map(data.images.map(row => [row.image, row.last_pulled_at]));
  const unit = at.caller === "tool" && at.unit === "day" ? "week" : at.unit;
  const starts = steps(at.plotFrom, at.plotTo, unit).filter(start => isWhole(start, unit));
  const trends = new Map();
  for (const row of pullRows(wide, unit, "image", at.caller)) trends.set(`${row.image} ${row.period_start}`, row.pulls);
  const then = new Map(before(wide, "image").map(row => [row.image, row.pulls]));
  const rows = total(wide, "image").filter(row => row.image !== null).map(row => ({
    ...row, last_pulled_at: lastPulled.get(row.image), isCurrent: row.image === at.image, then: then.get(row.image) || 0,
  })).sort((a, b) => byPulls(a, b) || (a.image > b.image ? 1 : -1));
  showTable($("images"), [
    { name: "image", title: "Image", kind: "text", cell: row => imageLink(row.image) },
    { name: "pulls", title: "Pulls", kind: "count", isShare: true, whole: whole.pulls },
    ...(at.before ? [{ name: "then", title: "Pulls before", kind: "count", cell: row => element("span", {}, count(row.then), element("small", { class: "change" }, ` ${change(row.pulls, row.then)}`)) }] : []),
    { name: "end_user_pulls", title: "by end users", kind: "count" },
    { name: "clients", title: "Clients", kind: "count" },
    { name: "served_bytes", title: "Bytes served", kind: "bytes", isShare: true, whole: whole.served_bytes },
    ...(starts.length > 1 ? [{ name: "trend", title: `Pulls by ${unit}`, cell: row => sparkline(starts.map(start =>
      ({ name: stepName(start, unit), value: trends.get(`${row.image} ${start}`) || 0 })), count) }] : []),
    { name: "last_pulled_at", title: "Last pulled ever (UTC)", kind: "time" },
  ], rows);
  const pulled = data.images.filter(row => row.pulls).length;
  $("images-hint").textContent = "Choose an image to see its builds and callers. "
    + (pulled > shownImages.size
      ? `This page lists the ${count(shownImages.size)} images that are pulled most of ${count(pulled)}; all totals include the others.`
      : "Pulls whose image is not known are only in the totals.");
}

function showImage(at) {
  $("one-image").hidden = at.image === undefined;
  document.querySelector('nav [href="#one-image"]').parentElement.hidden = at.image === undefined;
  if (at.image === undefined) return;
  const image = data.images.find(row => row.image === at.image) || {};
  $("h-image").textContent = at.image;
  showList($("image-facts"), [
    ["Pulls, all time", count(image.pulls), image.pulls],
    ["Builds pulled, all time", count(image.builds), image.builds],
    ["Clients, all time", count(image.clients), image.clients],
    ["Bytes served, all time", bytes(image.served_bytes), image.served_bytes],
    image.tags === null ? null : ["Tags listed", count(image.tags), image.tags],
    ["First pulled (UTC)", image.first_pulled_at || "Never"],
    ["Last pulled (UTC)", image.last_pulled_at || "Never"],
  ]);
  note("one-image", at, ["source", "host", "project", "image"], "builds are counted for all programs.");
  const rows = data.builds.filter(row => row.image === at.image && row.period === at.period && row.log_source === (at.source ?? null));
  showTable($("builds"), [
    { name: "build_digest", title: "Build", kind: "text", cell: row => element("code", { title: row.build_digest }, row.build_digest ? row.build_digest.slice(0, 19) : UNKNOWN) },
    { name: "pulls", title: "Pulls", kind: "count", isShare: true },
    { name: "clients", title: "Clients", kind: "count" },
    { name: "served_bytes", title: "Bytes served", kind: "bytes", isShare: true },
    { name: "first_pulled_at", title: "First pulled (UTC)", kind: "time" },
    { name: "last_pulled_at", title: "Last pulled (UTC)", kind: "time" },
  ], ofPeriod(rows, at.start).sort(byPulls));
}

function showCallers(at) {
  const found = name => ofPeriod(levelRows(name, at), at.start).filter(row => isByCaller(row, at));
  const [whole = {}] = total(at);
  const columns = [
    { name: "pulls", title: "Pulls", kind: "count", isShare: true, whole: whole.pulls },
    { name: "incomplete_pulls", title: "Incomplete", kind: "count" },
    { name: "clients", title: "Clients", kind: "count" },
    { name: "served_bytes", title: "Bytes served", kind: "bytes", isShare: true, whole: whole.served_bytes },
    { name: "last_pulled_at", title: "Last pulled (UTC)", kind: "time" },
  ];
  const programs = found("programs").map(row => ({
    ...row, client_program: `${toolName(row.client_tool)}${row.client_version ? ` ${row.client_version}` : ""}`,
  }));
  // rows of the level that is chosen count each client once; those of its programs name these
  const networks = found("networks").filter(row => row.client_level === at.caller);
  const tools = indexed(found("networks").filter(row => row.client_level === "tool"), row => row.client_network);
  showTable($("programs"), [
    { name: "client_program", title: "Program", kind: "text" }, ...columns,
    { name: "traffic_class", title: "Traffic class", kind: "word" },
  ], programs.sort(byPulls));
  showTable($("networks"), [
    { name: "client_network", title: "Network", kind: "text" }, ...columns,
    { name: "tools", title: "Programs", kind: "text" },
  ], networks.map(row => ({
    ...row, tools: [...new Set(tools.get(row.client_network).map(each => toolName(each.client_tool)))].sort().join(", "),
  })).sort(byPulls));
  const part = (rows, what) => (sum(rows, "pulls") < whole.pulls ? `The ${what} listed made ${share(sum(rows, "pulls"), whole.pulls)} of the pulls. ` : "");
  $("callers-hint").textContent = part(programs, "programs") + part(networks, "networks");
}
