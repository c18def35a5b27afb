// --- one stream ---------------------------------------------------------------------------------------------------

const MAX_LISTED = 500; // files, or gaps, of one stream

function rowOfAddress() {
  const row = Number(chosen.stream);
  return chosen.stream !== "" && Number.isInteger(row) && row >= 0 && row < rowCount ? row : -1;
}

function drawDetail() {
  const dialog = document.getElementById("detail");
  const row = rowOfAddress();
  if (row < 0) {
    if (dialog.open) dialog.close();
    return;
  }
  replaceContent("detail-title", foreign(name(row)));
  const range = table.range ?? { start: 0, stop: 1 };
  replaceContent(
    "detail-body",
    ...describeTrouble(row),
    drawTimeline(row, range, table.ticks),
    drawAxis(table.range),
    drawFacts(row),
    drawFiles(row),
    drawGaps(row),
  );
  if (!dialog.open) dialog.showModal();
  thinAxis(dialog);
  document.getElementById("detail-body").scrollTop = 0;
}

function describeTrouble(row) {
  const [message, reason, advice] = ["message", "reason", "advice"].map((field) => text(field, row));
  return [
    message && element("p", { class: "trouble" }, foreign(message)),
    reason && !message.includes(reason) && element("p", {}, foreign(reason)),
    advice && element("p", { class: "advice" }, element("strong", {}, "What to do: "), foreign(advice)),
  ].filter(Boolean);
}

function drawFacts(row) {
  const time = (seconds) => (seconds === null ? "" : `${formatTime(moment(seconds), chosen.times)} ${zoneName()}`);
  const duration = (field) => (number(field, row) === null ? "" : formatDuration(number(field, row)));
  const facts = {
    Result: word(text("status", row)),
    Verdict: word(text("verdict", row)),
    "Verified by": text("verified_by", row),
    State: text("verdict", row) ? "" : text("state", row),
    "Previous state": text("previous_state", row),
    "Known from": text("state_source", row),
    Changed: number("changed", row) ? "yes" : "no",
    Host: text("host", row),
    Domain: text("domain_name", row),
    App: text("app_name", row),
    Stream: text("stream_name", row),
    Run: RUNS[RUN_OF_ROW[row]].title,
    Commands: text("commands", row),
    "Sent at": time(number("sent_at", row)),
    Took: duration("seconds"),
    Waited: duration("waited_seconds"),
    Calls: number("api_calls", row),
    "Throttled calls": number("throttled", row),
    Wanted: windows(row).map(describeSpan).join(", "),
    Recorded: duration("recorded_seconds"),
    Expected: duration("expected_seconds"),
    Code: text("code", row),
    RequestId: text("request_id", row),
  };
  const known = Object.entries(facts).filter(([, fact]) => fact !== "" && fact !== null && fact !== undefined);
  return element(
    "dl",
    { class: "facts" },
    ...known.map(([term, fact]) => element("div", {}, element("dt", {}, term), element("dd", {}, foreign(fact)))),
  );
}

function drawList(caption, heads, lines) {
  if (!lines.length) return null;
  const rows = lines
    .slice(0, MAX_LISTED)
    .map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  const left = lines.length - rows.length;
  return element(
    "table",
    { class: "list" },
    element("caption", {}, caption, left ? `, the first ${MAX_LISTED}` : ""),
    element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, ...rows),
  );
}

function drawFiles(row) {
  const found = files(row);
  return drawList(
    plural(found.length, "file"),
    ["Start", "Stop", "Length", "Format", "Size", "Checked", "File"],
    found.map((file) => [
      clock(file.start),
      clock(file.stop),
      formatDuration(file.duration),
      foreign(file.format),
      file.size === null ? "–" : formatSize(file.size),
      foreign([file.status, file.note].filter(Boolean).join(": ")),
      fileLink(file),
    ]),
  );
}

function clock(seconds) {
  return seconds === null ? "?" : formatClock(seconds, chosen.times);
}

function fileLink({ url, object }) {
  const shown = foreign((object || url).split("/").pop().slice(0, 80) || "–", { title: visible(object || url) });
  return isWeb(url) ? element("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, shown) : shown;
}

// An address may hold anything, a script included; only the web's two kinds become links.
function isWeb(url) {
  try {
    return ["http:", "https:"].includes(new URL(url).protocol) && /^https?:\/\//i.test(url);
  } catch {
    return false;
  }
}

function drawGaps(row) {
  const found = gaps(row);
  return drawList(
    plural(found.length, "gap"),
    ["Start", "Stop", "Missing", "Cause"],
    found.map((gap) => [
      clock(gap.start),
      clock(gap.stop),
      formatDuration(gap.missing),
      GAP_WORDS.get(gapCause(gap.cause)),
    ]),
  );
}

function closeDetail() {
  const row = rowOfAddress();
  if (row < 0) return;
  go({ stream: "" });
  const place = table.rows.indexOf(row);
  if (place >= 0) moveTo(place);
}
