"use strict";
// Where bytes go, what fails, and which tags are used.
const COLOURS = 6;
const within = (rows, day, from, to) => rows.filter(row => row[day] >= from && row[day] <= to);

// Bars of the values that have most, whatever is selected: a value keeps its colour.
function barsOf(all, shown, name, amount, day, unit, write) {
  const ranked = grouped(all, [name], [amount]).sort((a, b) => b[amount] - a[amount]).map(group => group[name]);
  const own = ranked.slice(0, ranked.length > COLOURS ? COLOURS - 1 : COLOURS);
  const made = (title, colour, rows) => ({ name: title, colour, values: bySteps(rows, day, amount, unit) });
  const bars = own.map((value, at) => made(write(value), `--series-${at + 1}`, shown.filter(row => row[name] === value)));
  return ranked.length > own.length ? [...bars, made("Others", "--class-unknown", shown.filter(row => !own.includes(row[name])))] : bars;
}

function showEgress(at) {
  const isKnown = data.clouds.some(row => row.client_cloud !== null);
  const cloudName = cloud => (cloud === null && isKnown ? "Elsewhere" : words(cloud));
  const wide = { ...at, tool: undefined };
  const level = at.class === undefined ? "all" : "class";
  const rows = ofPeriod(levelRows("clouds", at), at.start).filter(row => row.client_level === level && isByCaller(row, wide)).map(row => ({
    ...row, cloud: cloudName(row.client_cloud), region: row.client_cloud === null ? "" : row.client_cloud_region ?? UNKNOWN,
  }));
  const isPriced = rows.some(row => row.egress_cost_nanos !== null);
  const byBytes = (a, b) => b.served_bytes - a.served_bytes || b.pulls - a.pulls;
  $("egress-hint").textContent = rows.length && rows.every(row => row.served_bytes === null)
    ? "The bytes of these pulls are not known: Cloud Audit Logs do not record them."
    : `${bytes(sum(rows, "served_bytes"))} served to clients in this selection. Only the usage logs of a bucket record bytes.`
      + (isPriced ? ` At list prices, these cost ${money(sum(rows, "egress_cost_nanos"))}.` : " They have no price: docs/networks.md shows how to set prices.");
  $("egress-unknown").hidden = isKnown;
  $("chart-egress").hidden = !isKnown;
  $("egress-regions-part").hidden = !isKnown;
  const days = within(data.cloud_days.filter(row => isFrom(row, at) && isAtPlace({ ...row, image: at.image }, at) && isByCaller(row, wide)), "pull_date", at.plotFrom, at.plotTo);
  showPlot("egress", steps(at.plotFrom, at.plotTo, at.unit), at.unit,
    isKnown ? barsOf(data.cloud_days, days, "client_cloud", "served_bytes", "pull_date", at.unit, cloudName) : [], bytes);
  note("chart-egress", at, ["source", "host", "project", "class", "tool"], "days are counted for all images of a project.");
  note("egress-section", at, ["source", "host", "project", "image", "class"], "clouds are counted for all programs of a class.");
  const columns = [
    { name: "served_bytes", title: "Bytes served", kind: "bytes", isShare: true },
    { name: "pulls", title: "Pulls", kind: "count", isShare: true },
    ...(isPriced ? [{ name: "egress_cost_nanos", title: "Cost at list prices", kind: "money", isShare: true }] : []),
  ];
  showTable($("egress-clouds"), [{ name: "cloud", title: "Cloud", kind: "text" }, ...columns],
    grouped(rows, ["cloud"], ["served_bytes", "pulls", "egress_cost_nanos"]).sort(byBytes));
  showTable($("egress-regions"), [
    { name: "cloud", title: "Cloud", kind: "text" },
    { name: "region", title: "Region", kind: "text" }, ...columns,
    { name: "clients", title: "Clients", kind: "count" },
  ], rows.sort(byBytes));
}

function showFailures(at) {
  const isChosen = row => isAtPlace(row, at) && isByCaller(row, at);
  const starts = steps(at.plotFrom, at.plotTo, at.unit);
  const requests = data.failed_requests.filter(isChosen);
  const pulls = data.failed_pulls.filter(isChosen);
  showPlot("failed", starts, at.unit, barsOf(data.failed_requests, within(requests, "request_date", at.plotFrom, at.plotTo),
    "failure_reason", "failed_requests", "request_date", at.unit, words), count);
  showPlot("incomplete", starts, at.unit, [{
    name: "Interrupted or failed pulls", colour: "--all",
    values: bySteps(within(pulls, "pull_date", at.plotFrom, at.plotTo), "pull_date", "incomplete_pulls", at.unit),
  }], count);
  const shown = within(requests, "request_date", at.from, at.to).map(row => ({ ...row, program: toolName(row.client_tool) }));
  const image = {
    name: "image", title: "Image", kind: "text", text: row => (row.is_rest ? "Other images" : row.image ?? UNKNOWN),
    cell: row => (shownImages.has(row.image) ? imageLink(row.image) : image.text(row)),
  };
  const program = { name: "program", title: "Program", kind: "text" };
  const failed = { name: "failed_requests", title: "Failed requests", kind: "count", isShare: true };
  const reason = { name: "failure_reason", title: "Reason", kind: "word" };
  const why = [
    { name: "status_code", title: "Status", kind: "count" },
    { name: "request_date", title: "Last day (UTC)", kind: "time" },
  ];
  const counted = keys => grouped(shown, keys, ["failed_requests"], "request_date").sort((a, b) => b.failed_requests - a.failed_requests);
  showTable($("failure-reasons"), [reason, failed, ...why], counted(["failure_reason", "status_code"]));
  showTable($("failed-requests"), [image, failed, program, reason, ...why], counted(["image", "is_rest", "program", "failure_reason", "status_code"]));
  showTable($("failed-pulls"), [
    image,
    { name: "incomplete_pulls", title: "Interrupted or failed", kind: "count", isShare: true },
    program,
    { name: "pull_date", title: "Last day (UTC)", kind: "time" },
  ], grouped(within(pulls, "pull_date", at.from, at.to).map(row => ({ ...row, program: toolName(row.client_tool) })),
    ["image", "program"], ["incomplete_pulls"], "pull_date").sort((a, b) => b.incomplete_pulls - a.incomplete_pulls));
}

function showTags(at) {
  const least = leastIdleDays();
  const rows = data.tags.filter(row => isAtPlace(row, at)).map(row => ({
    ...row, use: row.unused_days === null ? "Not known" : row.unused_days >= least ? "Unused" : "Used",
  })).sort((a, b) => (b.tag_pulls ?? b.build_pulls) - (a.tag_pulls ?? a.build_pulls) || (a.image + a.tag > b.image + b.tag ? 1 : -1));
  const all = data.tags[0]?.all_tags || 0;
  const unused = rows.filter(row => row.use === "Unused").length;
  $("tags-hint").textContent = !all ? "No tags are known: Artifact Registry's logs or an inventory name them."
    : `${count(unused)} of ${count(rows.length)} tags are unused: in the last ${count(least)} days of their project's log, nobody asked for the tag, pushed it or pulled the build that it names. `
      + (all > data.tags.length ? `This page lists ${count(data.tags.length)} of ${count(all)} tags: those that are pulled most, and those that are unused longest. ` : "")
      + "Numbers are those of all time.";
  const known = column => data.tags.some(row => row[column.name] !== null);
  note("tags-section", at, ["host", "project", "image"], "a tag is unused only if nobody uses it.");
  showTable($("tags"), [
    { name: "image", title: "Image", kind: "text", cell: row => (shownImages.has(row.image) ? imageLink(row.image) : row.image) },
    { name: "tag", title: "Tag", kind: "text" },
    { name: "unused_days", title: "Days without use", kind: "count" },
    { name: "use", title: "Use", kind: "text", cell: row => (row.use === "Unused" ? element("mark", {}, row.use) : row.use) },
    { name: "last_pulled_at", title: "Build last pulled (UTC)", kind: "time" },
    { name: "last_requested_at", title: "Last requested (UTC)", kind: "time" },
    ...[
      { name: "tag_pulls", title: "Pulls by this tag", kind: "count" },
      { name: "build_pulls", title: "Pulls of its builds", kind: "count" },
      { name: "checks", title: "Checks", kind: "count" },
      { name: "image_bytes", title: "Size", kind: "bytes" },
      { name: "last_pushed_at", title: "Last pushed (UTC)", kind: "text" },
    ].filter(known),
  ], rows);
}
