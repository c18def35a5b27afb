// --- timeline -----------------------------------------------------------------------------------------------------
// One axis for all rows: what is wanted is a track, a file is a bar with its ends, a gap is a block across them. The
// kinds differ in shape and pattern, too, for those who do not see the colours.

const GAP_WORDS = new Map(
  Object.entries({
    push: "the push was interrupted",
    recording: "pushed, but not recorded",
    file: "its file cannot be used",
    unknown: "not recorded, cause unknown",
  }),
);
const BAD_FILE = ["missing", "damaged", "error"];
const MIN_SHARE = 0.35; // of the width, in percent, so that a short gap in a long evening is seen
const STEPS = [1, 2, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
const MAX_TICKS = 5;
const ranges = {};

// Return the first and the last moment of the chosen runs' rows.
function timeRange() {
  ranges[chosen.run] ??= findRange(chosenRows());
  return ranges[chosen.run];
}

function findRange(rows) {
  let [first, last] = [Infinity, -Infinity];
  const take = (list) => {
    for (const [start, stop] of list || []) {
      if (start !== null) first = Math.min(first, start);
      if ((stop ?? start) !== null) last = Math.max(last, stop ?? start);
    }
  };
  for (const row of rows) {
    for (const kind of ["windows", "files", "gaps"]) take(number(kind, row));
    const sent = commandTime(row);
    if (sent !== null) take([[sent, sent]]);
  }
  if (first > last) return null;
  const spare = Math.max((last - first) * 0.01, 0.5);
  return { start: moment(first - spare), stop: moment(last + spare) };
}

// A verification asks about another time than its own, perhaps days before: its call has no place on the axis.
function commandTime(row) {
  return text("verdict", row) ? null : number("sent_at", row);
}

function makeTicks({ start, stop }) {
  const step =
    STEPS.find((seconds) => (stop - start) / seconds <= MAX_TICKS) ??
    86400 * Math.ceil((stop - start) / 86400 / MAX_TICKS);
  const ticks = [];
  for (let at = Math.ceil(start / step) * step; at <= stop; at += step) ticks.push(at);
  return { ticks, step };
}

function drawAxis(range) {
  if (!range) return null;
  const { ticks, step } = makeTicks(range);
  const drawn = shape("svg", { class: "axis-labels", "aria-hidden": "true" });
  for (const at of ticks) {
    const share = (at - range.start) / (range.stop - range.start);
    const clock = formatTime(at, chosen.times);
    const shown = step >= 86400 ? clock.slice(5, 10) : step < 60 ? clock.slice(11) : clock.slice(11, 16);
    const anchor = share < 0.06 ? "start" : share > 0.94 ? "end" : "middle";
    drawn.append(shape("text", { x: percent(share), y: 11, "text-anchor": anchor }, shown));
  }
  return drawn;
}

// Remove labels that run into the one before, which only shows once they are in the page.
function thinAxis(place) {
  let free = -Infinity;
  for (const label of place.querySelectorAll(".axis-labels text")) {
    const { left, right } = label.getBoundingClientRect();
    if (left < free) label.remove();
    else free = right + 4;
  }
}

function percent(share) {
  return `${Math.round(share * 100000) / 1000}%`;
}

function drawTimeline(row, range, ticks) {
  const drawn = shape("svg", { class: "timeline", role: "img", "aria-label": describeTimeline(row) });
  if (!range) return drawn;
  const place = (start, stop) => {
    const x = (100 * (start - range.start)) / (range.stop - range.start);
    return { x, width: Math.max(MIN_SHARE, (100 * (stop - start)) / (range.stop - range.start)) };
  };
  const block = (kind, { start, stop }, y, height) => {
    if (start === null || stop === null) return;
    const { x, width } = place(start, stop);
    drawn.append(shape("rect", { class: kind, x: `${x}%`, width: `${width}%`, y, height }));
  };
  for (const at of ticks)
    drawn.append(shape("line", { class: "tick", x1: `${place(at, at).x}%`, x2: `${place(at, at).x}%`, y1: 0, y2: 20 }));
  for (const window of windows(row)) block("window", window, 2, 16);
  for (const file of files(row)) block(`file ${BAD_FILE.includes(file.status) ? file.status : ""}`, file, 5, 10);
  for (const gap of gaps(row)) block(`gap ${gapCause(gap.cause)}`, gap, 3, 14);
  const sent = commandTime(row);
  if (sent !== null)
    drawn.append(
      shape("circle", {
        class: `sent ${text("status", row) === "failed" ? "failed" : ""}`,
        cx: `${place(moment(sent), moment(sent)).x}%`,
        cy: 10,
        r: 4,
      }),
    );
  return drawn;
}

function gapCause(cause) {
  return GAP_WORDS.has(cause) ? cause : "unknown";
}

function describeTimeline(row) {
  const parts = windows(row).map((window) => `wanted ${describeSpan(window)}`);
  const [found, holes] = [files(row), gaps(row)];
  if (number("files", row) !== null) parts.push(plural(found.length, "file"));
  parts.push(...holes.slice(0, 5).map((gap) => `gap ${describeSpan(gap)}, ${GAP_WORDS.get(gapCause(gap.cause))}`));
  if (holes.length > 5) parts.push(`${holes.length - 5} more gaps`);
  const sent = commandTime(row);
  if (sent !== null) parts.push(`command sent at ${formatTime(moment(sent), chosen.times)}`);
  return parts.join("; ") || "nothing known";
}

function describeSpan({ start, stop }) {
  const [from, to] = [start, stop].map((time) => (time === null ? "?" : formatClock(time, chosen.times)));
  return `${from} to ${to}`;
}

// The patterns have to be in the page once, for all drawings.
function makePatterns() {
  const stripes = (id, kind, angle) =>
    shape(
      "pattern",
      { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: `rotate(${angle})` },
      shape("rect", { width: 6, height: 6, class: `${kind}-ground` }),
      shape("rect", { width: 3, height: 6, class: `${kind}-stripe` }),
    );
  const dots = shape(
    "pattern",
    { id: "dots", width: 5, height: 5, patternUnits: "userSpaceOnUse" },
    shape("rect", { width: 5, height: 5, class: "unknown-ground" }),
    shape("circle", { cx: 2.5, cy: 2.5, r: 1.4, class: "unknown-stripe" }),
  );
  return shape(
    "svg",
    { width: 0, height: 0, class: "patterns", "aria-hidden": "true" },
    shape("defs", {}, stripes("hatch-push", "push", 45), stripes("hatch-damaged", "damaged", -45), dots),
  );
}

function drawLegend() {
  const kinds = new Set();
  for (const row of chosenRows()) {
    if (number("windows", row)) kinds.add("window");
    if (commandTime(row) !== null) kinds.add("sent");
    for (const file of number("files", row) || [])
      kinds.add(BAD_FILE.includes(STRINGS[file[5]]) ? `file ${STRINGS[file[5]]}` : "file");
    for (const gap of number("gaps", row) || []) kinds.add(`gap ${gapCause(STRINGS[gap[2]])}`);
  }
  const words = {
    window: "wanted",
    sent: "command sent",
    file: "file",
    "file damaged": "damaged file",
    "file missing": "missing file",
    "file error": "file with an error",
    "gap push": "gap: push interrupted",
    "gap recording": "gap: pushed, not recorded",
    "gap unknown": "gap: cause unknown",
  };
  replaceContent(
    "legend",
    ...Object.keys(words)
      .filter((kind) => kinds.has(kind))
      .map((kind) =>
        element(
          "li",
          {},
          shape(
            "svg",
            { width: 26, height: 20, "aria-hidden": "true" },
            kind === "sent"
              ? shape("circle", { class: "sent", cx: 13, cy: 10, r: 4 })
              : shape("rect", {
                  class: kind,
                  x: 2,
                  y: kind === "window" ? 2 : 5,
                  width: 22,
                  height: kind === "window" ? 16 : 10,
                }),
          ),
          words[kind],
        ),
      ),
  );
}
