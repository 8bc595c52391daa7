"use strict";
// What each section shows for the selection `at`: see selection() in page.js.
const cellOf = { image: "image", host: "registry_host", project: "project_id" };

function isAtPlace(row, at) {
  return (at.host === undefined || row.registry_host === at.host)
    && (at.project === undefined || row.project_id === at.project)
    && (at.image === undefined || row.image === at.image);
}

const isByCaller = (row, at) => (at.class === undefined || row.traffic_class === at.class)
  && (at.tool === undefined || row.client_tool === at.tool);
const inRange = (day, at) => (!at.from || day >= at.from) && (!at.to || day <= at.to);

// Rows of report_pulls: one per period, place and caller, with clients that can't be added up.
const pullRows = (at, period, place, caller) => (pullIndex.get(`${period} ${place} ${caller}`) || [])
  .filter(row => isAtPlace(row, at) && isByCaller(row, at));

function total(at, place = at.place, caller = at.caller) {
  return pullRows(at, at.period, place, caller).filter(row => row.period_start === at.start || at.start === undefined);
}

function valuesOf(rows, name) {
  return new Map(rows.map(row => [row.period_start, row[name]]));
}

function showTotals(at) {
  const row = total(at)[0] || {};
  showList(document.getElementById("totals"), [
    ["Pulls", count(row.pulls || 0), row.pulls || 0],
    ["by end users", count(row.end_user_pulls || 0), row.end_user_pulls || 0],
    ["Clients", count(row.clients || 0), row.clients || 0],
    ["that are end users", count(row.end_user_clients || 0), row.end_user_clients || 0],
    ["Bytes served", bytes(row.served_bytes || 0), row.served_bytes || 0],
    ["Interrupted or failed", count(row.incomplete_pulls || 0), row.incomplete_pulls || 0],
  ]);
}

function showTime(at) {
  const starts = steps(at.plotFrom, at.plotTo, at.unit);
  const rows = pullRows(at, at.unit, at.place, at.caller);
  const pair = (all, endUsers) => [{ name: "all", values: valuesOf(rows, all) }]
    .concat(at.class === undefined ? [{ name: "end users", values: valuesOf(rows, endUsers) }] : []);
  const name = at.class === undefined ? "all" : at.tool || at.class;
  const named = series => series.map((each, i) => (i ? each : { ...each, name }));
  showPlot("pulls", starts, at.unit, named(pair("pulls", "end_user_pulls")), count);
  showPlot("clients", starts, at.unit, named(pair("clients", "end_user_clients")), count);
  showPlot("served", starts, at.unit, [{ name, values: valuesOf(rows, "served_bytes") }], bytes);
}

function showImages(at) {
  const wide = { ...at, image: undefined };
  const lastPulled = new Map(data.images.map(row => [row.image, row.last_pulled_at]));
  const unit = at.caller === "tool" && at.unit === "day" ? "week" : at.unit;
  const starts = steps(at.plotFrom, at.plotTo, unit);
  const trends = new Map();
  for (const row of pullRows(wide, unit, "image", at.caller)) {
    if (!trends.has(row.image)) trends.set(row.image, new Map());
    trends.get(row.image).set(row.period_start, row.pulls);
  }
  const trendOf = row => starts.map(start => (trends.get(row.image) || new Map()).get(start) || 0);
  const rows = total(wide, "image").filter(row => row.image !== null).map(row => ({
    ...row, last_pulled_at: lastPulled.get(row.image), isCurrent: row.image === at.image,
  })).sort((a, b) => b.pulls - a.pulls || (a.image > b.image ? 1 : -1));
  showTable(document.getElementById("images"), [
    { name: "image", title: "Image", kind: "text", cell: row => element("button", { type: "button", class: "link", onclick: () => chooseImage(row.image) }, row.image) },
    { name: "trend", title: `Pulls by ${unit}`, cell: row => sparkline(trendOf(row), `from ${trendOf(row)[0]} to ${trendOf(row).at(-1)} pulls, at most ${Math.max(...trendOf(row))} a ${unit}`) },
    { name: "pulls", title: "Pulls", kind: "count" },
    { name: "end_user_pulls", title: "by end users", kind: "count" },
    { name: "clients", title: "Clients", kind: "count" },
    { name: "served_bytes", title: "Bytes served", kind: "bytes" },
    { name: "last_pulled_at", title: "Last pulled (UTC)", kind: "time" },
  ], rows);
  const pulled = data.images.filter(row => row.pulls).length;
  document.getElementById("images-hint").textContent = pulled > shownImages.size
    ? `One by one this page has the ${count(shownImages.size)} images that are pulled most of ${count(pulled)}; the others are in all totals.`
    : "Choose an image to see its builds and callers. Pulls whose image can't be told are in the totals only.";
}

function showImage(at) {
  const section = document.getElementById("one-image");
  section.hidden = at.image === undefined;
  if (section.hidden) return;
  const image = data.images.find(row => row.image === at.image) || {};
  document.getElementById("h-image").textContent = `Image ${at.image}`;
  showList(document.getElementById("image-facts"), [
    ["Pulls, all time", count(image.pulls), image.pulls],
    ["Builds pulled", count(image.image_ids), image.image_ids],
    ["Clients, all time", count(image.clients), image.clients],
    ["Bytes served by complete pulls", bytes(image.served_bytes), image.served_bytes],
    image.tag_count === null ? null : ["Tags listed", count(image.tag_count), image.tag_count],
    ["First pulled (UTC)", image.first_pulled_at || "never"],
    ["Last pulled (UTC)", image.last_pulled_at || "never"],
  ]);
  showTable(document.getElementById("builds"), [
    { name: "image_id", title: "Image id", kind: "text", cell: row => element("code", { title: row.image_id }, row.image_id ? row.image_id.slice(0, 19) : "not told") },
    { name: "pulls", title: "Pulls", kind: "count" },
    { name: "clients", title: "Clients", kind: "count" },
    { name: "served_bytes", title: "Bytes served", kind: "bytes" },
    { name: "first_pulled_at", title: "First pulled (UTC)", kind: "time" },
    { name: "last_pulled_at", title: "Last pulled (UTC)", kind: "time" },
  ], data.builds.filter(row => row.image === at.image).sort((a, b) => b.pulls - a.pulls));
}

function showCallers(at) {
  const rows = data.callers.filter(row => isAtPlace({ ...placeOf.get(row.image), image: row.image }, at) && isByCaller(row, at));
  // a client has one address and one program: of a single image its rows add up
  const clients = at.image === undefined ? [] : [{ name: "clients", title: "Clients", kind: "count" }];
  const rest = [
    { name: "pulls", title: "Pulls", kind: "count" }, ...clients,
    { name: "served_bytes", title: "Bytes served", kind: "bytes" },
    { name: "last_pulled_at", title: "Last pulled (UTC)", kind: "time" },
  ];
  const byPulls = found => found.sort((a, b) => b.pulls - a.pulls || b.served_bytes - a.served_bytes);
  const totals = ["pulls", "clients", "served_bytes"];
  const program = { name: "client_program", title: "Tool, version", kind: "text" };
  const network = { name: "client_network", title: "Network", kind: "text" };
  const cls = { name: "traffic_class", title: "Class", kind: "text" };
  showTable(document.getElementById("programs"), [program, cls, ...rest],
    byPulls(grouped(rows, ["client_program", "traffic_class"], totals, "last_pulled_at")));
  showTable(document.getElementById("networks"), [network, ...rest],
    byPulls(grouped(rows, ["client_network"], totals, "last_pulled_at")));
  showTable(document.getElementById("callers"), [
    { name: "image", title: "Image", kind: "text" }, network, program, cls,
    rest[0], { name: "clients", title: "Clients", kind: "count" }, ...rest.slice(-2),
  ], byPulls([...rows]));
  const pulls = sum(rows, "pulls");
  const all = sum(pullRows({ ...at }, "all", at.place, at.caller), "pulls");
  document.getElementById("callers-hint").textContent =
    `All time, whatever the period. Here are ${count(pulls)} of ${count(all)} pulls: of each image that is pulled most, its busiest callers.`;
}
