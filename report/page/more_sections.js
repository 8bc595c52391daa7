"use strict";
// Sections that sum up days, and what is known of the data.
function bySteps(rows, day, name, unit) {
  const values = new Map();
  for (const row of rows) values.set(startOf(row[day], unit), (values.get(startOf(row[day], unit)) || 0) + row[name]);
  return values;
}

function showClasses(at) {
  const wide = { ...at, tool: undefined };
  const rows = pullRows(wide, at.unit, at.place, "class");
  const classes = [...new Set((pullIndex.get("all all class") || []).map(row => row.traffic_class))].sort();
  showPlot("classes", steps(at.plotFrom, at.plotTo, at.unit), at.unit, classes.map(name => ({
    name: words(name), colour: classColour(name), values: valuesOf(rows.filter(row => row.traffic_class === name), "pulls"),
  })), count);
  const then = new Map(before(wide, at.place, "class").map(row => [row.traffic_class, row.pulls]));
  showTable($("classes"), [
    { name: "traffic_class", title: "Traffic class", kind: "word" },
    { name: "pulls", title: "Pulls", kind: "count", isShare: true },
    ...(at.before ? [{ name: "then", title: "Pulls before", kind: "count", cell: row => element("span", {}, count(row.then), element("small", { class: "change" }, ` ${change(row.pulls, row.then)}`)) }] : []),
    { name: "incomplete_pulls", title: "Incomplete", kind: "count" },
    { name: "clients", title: "Clients", kind: "count" },
    { name: "served_bytes", title: "Bytes served", kind: "bytes", isShare: true },
  ], total(wide, at.place, "class").map(row => ({ ...row, then: then.get(row.traffic_class) || 0 })).sort(byPulls));
  note("chart-classes", at, ["source", "host", "project", "image", "class"], "this section is about all programs of a class.");
  const requests = data.traffic.filter(row => inRange(row.request_date, at) && isFrom(row, at) && (at.class === undefined || row.traffic_class === at.class));
  showTable($("requests"), [
    { name: "traffic_class", title: "Traffic class", kind: "word" },
    { name: "operation", title: "Operation", kind: "word" },
    { name: "requests", title: "Requests", kind: "count", isShare: true },
    { name: "errors", title: "Errors", kind: "count" },
    { name: "response_bytes", title: "Bytes sent", kind: "bytes", isShare: true },
  ], grouped(requests, ["traffic_class", "operation"], ["requests", "errors", "response_bytes"]).sort((a, b) => b.requests - a.requests));
  note("requests-section", at, ["source", "class"], "requests are counted by bucket or repository, not by image or program.");
}

function showPushes(at) {
  const rows = data.pushes.filter(row => isAtPlace(row, at) && isByCaller(row, at));
  const shown = rows.filter(row => inRange(row.push_date, at));
  showPlot("pushes", steps(at.plotFrom, at.plotTo, at.unit), at.unit, [{ name: "Pushes", colour: "--all", values: bySteps(rows.filter(row => row.push_date >= at.plotFrom && row.push_date <= at.plotTo), "push_date", "pushes", at.unit) }], count);
  showTable($("pushes"), [
    { name: "image", title: "Image", kind: "text", cell: row => (shownImages.has(row.image) ? imageLink(row.image) : row.image ?? UNKNOWN) },
    { name: "pushes", title: "Pushes", kind: "count", isShare: true },
    { name: "written_bytes", title: "Bytes written", kind: "bytes", isShare: true },
    { name: "last_pushed_at", title: "Last pushed (UTC)", kind: "time" },
  ], grouped(shown, ["image"], ["pushes", "written_bytes"], "last_pushed_at").sort((a, b) => b.pushes - a.pushes));
}

function showStorage(at) {
  const rows = data.storage.filter(row => inRange(row.storage_date, at));
  const sizes = grouped(rows, ["bucket_name"], []).map(group => ({ ...group, largest: latest(group.rows, "stored_bytes") }));
  const largest = sizes.sort((a, b) => b.largest - a.largest).slice(0, 5);
  const from = earliest(rows, "storage_date");
  showPlot("stored", from ? steps(from, latest(rows, "storage_date"), "day") : [], "day", largest.map((group, at) => ({
    name: group.bucket_name, colour: `--stored-${at + 1}`, hasGaps: true,
    values: new Map(group.rows.map(row => [row.storage_date, row.stored_bytes])),
  })), bytes);
  note("chart-stored", at, [], "what is stored is known by bucket only.");
  if (!data.storage.length) document.querySelector("#chart-stored .empty").textContent = "No storage logs are loaded, so the stored bytes are not known.";
}

// How long pulls took: each step of time with its pulls, and with those that took no longer.
function showDurations(at) {
  const rows = ofPeriod(levelRows("durations", at), at.start).filter(row => isByCaller(row, { ...at, tool: undefined }));
  const pulls = sum(rows, "pulls");
  const timeOf = seconds => (seconds < 60 ? `${seconds} s` : `${seconds / 60} min`);
  let upTo = 0;
  const listed = grouped(rows, ["at_most_seconds"], ["pulls"]).sort((a, b) => (a.at_most_seconds ?? Infinity) - (b.at_most_seconds ?? Infinity))
    .map(row => ({ ...row, up_to: upTo += row.pulls, time: row.at_most_seconds === null ? "Longer" : `Up to ${timeOf(row.at_most_seconds)}` }));
  const reached = part => listed.find(row => row.up_to >= part * pulls)?.time.toLowerCase();
  $("durations-hint").textContent = pulls ? `Half of these pulls took ${reached(0.5)}, nine of ten ${reached(0.9)}.` : "";
  note("durations-section", at, ["source", "host", "project", "image", "class"], "durations are counted for all programs of a class.");
  showTable($("durations"), [
    { name: "time", title: "Time", kind: "text" },
    { name: "pulls", title: "Pulls", kind: "count", isShare: true },
    { name: "up_to", title: "Pulls up to this time", kind: "count", isShare: true, whole: pulls },
  ], listed);
}

const leastIdleDays = () => Math.max(0, Number.parseInt($("idle-days").value, 10) || 0);

function showIdle(at) {
  const least = leastIdleDays();
  const rows = data.images.filter(row => isAtPlace(row, at) && (row.unused_days ?? -1) >= least).sort((a, b) => b.unused_days - a.unused_days);
  $("idle-hint").textContent = `days before the end of their project's log: ${count(rows.length)} of ${count(data.images.length)} images were not pulled, asked for or pushed. Images that were never pulled are known only from an inventory. What runs without being pulled again is not in a log: compare with what is deployed before you delete.`;
  note("idle-section", at, ["host", "project", "image"], "an image is unused only if nobody uses it.");
  showTable($("idle"), [
    { name: "image", title: "Image", kind: "text", cell: row => (shownImages.has(row.image) ? imageLink(row.image) : row.image) },
    { name: "unused_days", title: "Days without use", kind: "count" },
    { name: "last_pulled_at", title: "Last pulled (UTC)", kind: "time" },
    { name: "last_requested_at", title: "Last requested (UTC)", kind: "time" },
    { name: "last_pushed_at", title: "Last pushed (UTC)", kind: "time" },
    { name: "pulls", title: "Pulls, all time", kind: "count" },
    { name: "builds", title: "Builds pulled", kind: "count" },
  ], rows);
}

function showQuality(at) {
  const logs = data.log_days.filter(row => isFrom(row, at));
  const rows = logs.filter(row => inRange(row.log_date, at));
  const [received, duplicated, late, missing] = ["received_rows", "redelivered_rows", "late_rows", "missing_hours"].map(name => sum(rows, name));
  const hasLedger = rows.some(row => row.rejected_lines !== null);
  const quality = data.quality.filter(row => isFrom(row, at) && inRange(row.pull_date, at));
  const pulls = sum(quality, "pulls");
  const part = (term, name, why) => [term, `${count(sum(quality, name))} of ${count(pulls)} pulls (${share(sum(quality, name), pulls)})${why}`, sum(quality, name)];
  note("quality-section", at, ["source"], "the quality of the data is that of the whole log.");
  const newest = grouped(logs, ["log_source"], [], "newest_hour");
  showList($("quality"), [
    part("Image not known", "unattributed_pulls", ""),
    part("Build not known", "pulls_without_build", ""),
    part("Ambiguous", "ambiguous_pulls", ": the log allows more than one count"),
    part("Interrupted or failed", "incomplete_pulls", "; not among the pulls elsewhere on this page"),
    ["Duplicated log rows", `${count(duplicated)} of ${count(received)} (${share(duplicated, received)}); each counts once`, duplicated],
    ["Late log rows", `${count(late)} of ${count(received)} (${share(late, received)}) arrived after rows of a later day`, late],
    ["Rejected log lines", hasLedger ? count(sum(rows, "rejected_lines")) : "Not known: there is no record of what the loader rejected", hasLedger ? sum(rows, "rejected_lines") : null],
    ["Hours without a log record", `${count(missing)}; quiet hours are among them`, missing],
    ...(newest.length ? newest.map(row => [`Newest hour${newest.length > 1 ? `: ${words(row.log_source)}` : ""}`, `${row.newest_hour} UTC`, row.newest_hour])
      : [["Newest hour", "No logs are loaded"]]),
    ["Newest arrival", latest(logs, "last_loaded_at") ? `${latest(logs, "last_loaded_at")} UTC` : "None"],
  ]);
  showTable($("log-days"), [
    { name: "log_date", title: "Day (UTC)", kind: "text" },
    ...(newest.length > 1 ? [{ name: "log_source", title: "Source", kind: "word" }] : []),
    { name: "received_rows", title: "Rows", kind: "count" },
    { name: "redelivered_rows", title: "Duplicated", kind: "count" },
    { name: "late_rows", title: "Late", kind: "count" },
    { name: "rejected_lines", title: "Rejected lines", kind: "count" },
    { name: "missing_hours", title: "Hours without a record before", kind: "count" },
    { name: "last_loaded_at", title: "Last arrival (UTC)", kind: "time" },
  ], [...rows].sort((a, b) => (a.log_date < b.log_date ? 1 : -1)));
}
