// --- headline -----------------------------------------------------------------------------------------------------
// Somebody on duty looks for two seconds: did it go well, and if not, what is to be done?

function totals() {
  const runs = chosenRuns().map((run) => RUNS[run]);
  const add = (pick) => sum(runs.map(pick));
  const counts = Object.fromEntries(
    ["streams", "ok", "failed", "not_tried", "changed"].map((key) => [key, add((run) => run.counts[key])]),
  );
  const worst = ["interrupted", "ended_early"].find((outcome) => runs.some((run) => run.outcome === outcome));
  const verdicts = chosenRows()
    .map((row) => text("verdict", row))
    .filter(Boolean);
  return {
    ...counts,
    runs,
    verdicts: verdicts.length,
    unknown: verdicts.length ? verdicts.filter((verdict) => verdict === "unknown").length : null,
    outcome: worst ?? "complete",
    checked: runs.length > 0 && runs.every((run) => run.check_mode),
  };
}

function describeResult(total) {
  const word = chosenRuns().length > 1 ? "result" : "stream";
  const of = `of ${plural(total.streams, word)}`;
  if (total.failed && total.not_tried)
    return `${formatNumber(total.failed)} ${of} failed, ${formatNumber(total.not_tried)} not tried`;
  if (total.failed) return `${formatNumber(total.failed)} ${of} failed`;
  if (total.not_tried) return `${formatNumber(total.not_tried)} ${of} not tried`;
  if (!total.streams) return "No stream";
  if (total.checked && total.unknown === null) return `${formatNumber(total.changed)} ${of} would change`;
  if (total.unknown) return `${formatNumber(total.unknown)} of ${plural(total.verdicts, "recording")}: unknown`;
  return total.streams === 1 ? `The ${word} succeeded` : `All ${plural(total.streams, word)} succeeded`;
}

function tone(total) {
  if (total.failed || total.not_tried || total.outcome !== "complete") return "bad";
  return total.checked || !total.streams || total.unknown ? "neutral" : "good";
}

function drawHeadline() {
  const total = totals();
  const beginnings = { interrupted: "Interrupted: ", ended_early: "Ended early: " };
  const beginning = beginnings[total.outcome] ?? (total.checked ? "Check mode: " : "");
  const result = describeResult(total);
  document.body.dataset.tone = tone(total);
  replaceContent("headline", beginning ? beginning + result[0].toLowerCase() + result.slice(1) : result);
  const titles = [...new Set(total.runs.map((run) => run.title))];
  document.title = visible(`${titles.join(", ")}: ${beginning}${result}`);
  replaceContent("subline", foreign(titles.join(", "), { class: "run-title" }), ` · ${describePeriod(total.runs)}`);
  drawAdvice(total);
}

function describePeriod(runs) {
  const times = runs.flatMap((run) => [parseTime(run.began), parseTime(run.ended)]).filter((time) => time !== null);
  if (!times.length) return "";
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const [date, clock] = splitTime(first, chosen.times);
  const [endDate, endClock] = splitTime(last, chosen.times);
  return `${date} ${clock} – ${endDate === date ? endClock : `${endDate} ${endClock}`} ${zoneName()}`;
}

function zoneName() {
  return chosen.times === "utc" ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function drawAdvice(total) {
  const causes = total.runs.flatMap((run) => run.failures).sort((a, b) => b.streams.length - a.streams.length);
  const first = causes.find((failure) => failure.advice);
  const lines = [];
  // The advice of a single cause stands with it, just below.
  if (first && causes.length > 1) {
    lines.push(element("p", {}, element("strong", {}, "What to do: "), foreign(first.advice)));
    lines.push(element("p", { class: "quiet" }, `and ${plural(causes.length - 1, "other cause")} below`));
  }
  if (total.not_tried) {
    lines.push(
      element(
        "p",
        {},
        element("strong", {}, "Streams that were not tried: "),
        "run the playbook again for them, with --limit and its retry file.",
      ),
    );
  }
  if (total.checked) lines.push(element("p", { class: "quiet" }, "Nothing was sent: check mode only predicts."));
  replaceContent("advice", ...lines);
}

function drawRuns() {
  const nav = document.getElementById("runs");
  nav.hidden = RUNS.length < 2;
  if (nav.hidden) return;
  const links = [
    ["all", `All ${RUNS.length} runs`],
    ...RUNS.map((run, place) => [
      String(place),
      `${place + 1} · ${visible(run.title)} · ${formatClock(parseTime(run.began), chosen.times)}`,
    ]),
  ];
  nav.replaceChildren(
    ...links.map(([run, label]) =>
      choiceLink(
        { run, cause: "", stream: "" },
        { "aria-current": run === chosen.run ? "true" : null, class: RUNS[run]?.counts.failed ? "has-failed" : null },
        label,
      ),
    ),
  );
}

// --- tiles --------------------------------------------------------------------------------------------------------

function tile(label, value, ...notes) {
  const shown = [element("dt", {}, label), element("dd", { class: "value" }, value)];
  for (const note of notes.flat()) if (note) shown.push(element("dd", { class: "note" }, note));
  return element("div", { class: "tile" }, ...shown);
}

function widen(made) {
  made.classList.add("wide");
  return made;
}

function drawTiles() {
  const total = totals();
  const rates = total.runs.map((run) => run.rate).filter((rate) => rate?.calls_per_second);
  const fastest = rates.sort((a, b) => b.calls_per_second - a.calls_per_second)[0];
  const busiest = busiestRate(total.runs);
  replaceContent(
    "tiles",
    streamTile(total),
    verdictTile(),
    recordedTile(),
    fastest
      ? tile(
          "Calls per second",
          formatNumber(fastest.calls_per_second),
          rates.length > 1 ? "the fastest run" : "from the first to the last",
        )
      : tile("Most calls in a second", formatNumber(busiest?.most), "too few calls for a rate"),
    quotaTile(fastest ?? busiest, fastest?.calls_per_second ?? busiest?.most),
    callsTile(total.runs),
    tile("Duration", formatDuration(sum(total.runs.map((run) => run.seconds ?? 0))), outcomeNote(total)),
    ...cloudTiles(total.runs),
  );
}

// Return the rate with the busiest second, and its number of calls; undefined if no run has sent any.
function busiestRate(runs) {
  const found = runs
    .map(({ rate }) => ({
      ...rate,
      most: (rate?.by_second ?? []).reduce((most, [, calls]) => Math.max(most, calls), 0),
    }))
    .filter(({ most }) => most);
  return found.sort((a, b) => b.most - a.most)[0];
}

function outcomeNote(total) {
  return (
    { interrupted: "interrupted", ended_early: "ended early: too many failures" }[total.outcome] ??
    (total.checked ? "check mode" : "ran to its end")
  );
}

function countLinks(counts, key, isCheck = false) {
  return Object.entries(counts)
    .filter(([, count]) => count)
    .map(([value, count]) =>
      element(
        "span",
        { class: "count" },
        choiceLink(
          { ...cleared(), [key]: value },
          { class: `mark ${value}`, "data-goes": "streams-title" },
          `${formatNumber(count)} ${value === "changed" && isCheck ? "would change" : word(value)}`,
        ),
      ),
    );
}

function cleared() {
  return { ...Object.fromEntries(FILTERS.map((filter) => [filter, ""])), stream: "" };
}

function streamTile(total) {
  const counts = { failed: total.failed, not_tried: total.not_tried, ok: total.ok, changed: total.changed };
  const label = chosenRuns().length > 1 ? "Results of all runs" : "Streams";
  // The states of a verification are its verdicts, which have a tile of their own.
  const commands = total.runs.filter((run) => !run.columns.verdict);
  const states = commands.reduce((counts, run) => addCounts(counts, run.states), new Map());
  const shown = [...states]
    .map(([state, count]) => `${formatNumber(count)} ${visible(state)}`)
    .slice(0, 4)
    .join(", ");
  return widen(
    tile(
      label,
      formatNumber(total.streams),
      element("span", { class: "counts" }, ...countLinks(counts, "status", total.checked)),
      shown,
    ),
  );
}

function verdictTile() {
  const rows = chosenRows().filter((row) => text("verdict", row));
  if (!rows.length) return null;
  const counts = {};
  for (const verdict of VERDICTS) counts[verdict] = rows.filter((row) => text("verdict", row) === verdict).length;
  return widen(
    tile(
      "Complete recordings",
      `${formatNumber(counts.complete)} of ${formatNumber(rows.length)}`,
      element("span", { class: "counts" }, ...countLinks({ ...counts, complete: 0 }, "verdict")),
    ),
  );
}

function recordedTile() {
  const rows = chosenRows().filter((row) => recordedShare(row) !== null);
  if (!rows.length) return null;
  const [expected, recorded] = ["expected_seconds", "recorded_seconds"].map((key) =>
    sum(rows.map((row) => number(key, row))),
  );
  return tile(
    "Recorded",
    formatShare(recorded / expected),
    `${formatNumber(recorded / 3600)} of ${formatNumber(expected / 3600)} hours`,
  );
}

function quotaTile(rate, calls) {
  if (!rate?.quota) return tile("Quota used", "–");
  const share = calls / rate.quota;
  const meter = element("meter", {
    min: 0,
    max: 1,
    high: 1,
    value: Math.min(1, share),
    "aria-label": "share of the quota",
  });
  return tile(
    "Quota used",
    formatShare(share),
    meter,
    `${formatNumber(rate.quota)} allowed, limit ${formatNumber(rate.limit)}`,
  );
}

function callsTile(runs) {
  const throttled = sum(runs.map((run) => run.calls.throttled));
  const operations = runs.reduce((counts, run) => addCounts(counts, run.calls.by_operation), new Map());
  const made = tile(
    "Throttled",
    formatNumber(throttled),
    `of ${plural(sum(runs.map((run) => run.calls.total)), "call")}`,
  );
  made.title = [...operations].map(([operation, calls]) => `${calls} × ${visible(operation)}`).join("\n");
  if (throttled) made.classList.add("attention");
  return made;
}

// The cloud's own count says nothing about one stream, but a difference says that somebody should look.
function cloudTiles(runs) {
  return runs
    .flatMap((run) => Object.entries(run.cloud_count?.domains ?? {}))
    .slice(-4)
    .map(([domain, count]) => {
      const peakAt = parseTime(count.peak_at);
      const on = peakAt === null ? "" : ` on ${formatTime(peakAt, chosen.times).slice(0, 16)}`;
      const peak = count.peak ? `, peak ${formatNumber(count.peak)}${on}` : "";
      const made = widen(
        tile(
          "Recordings that the cloud counts",
          formatNumber(count.counted),
          `believed ${formatNumber(count.believed)}${peak}`,
          foreign(domain),
        ),
      );
      if (count.counted !== null && count.believed !== null && count.counted < count.believed)
        made.classList.add("attention");
      return made;
    });
}
