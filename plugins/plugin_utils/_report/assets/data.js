// --- data ---------------------------------------------------------------------------------------------------------
// Rows of all runs are numbered one after the other; a column is an array with a value for each of them.

const PACKED = JSON.parse(document.getElementById("data").textContent);
const { strings: STRINGS, runs: RUNS, base: BASE } = PACKED;
const FIRST_ROWS = []; // of each run
let rowCount = 0;
for (const run of RUNS) {
  FIRST_ROWS.push(rowCount);
  rowCount += run.size;
}
const RUN_OF_ROW = RUNS.flatMap((run, number) => new Array(run.size).fill(number));
const COLUMNS = {};

function column(name) {
  COLUMNS[name] ??= RUNS.flatMap((run) => {
    const values = run.columns[name] ?? [null];
    return values.length === run.size ? values : new Array(run.size).fill(values[0]);
  });
  return COLUMNS[name];
}

function text(name, row) {
  return STRINGS[column(name)[row] ?? 0];
}

function number(name, row) {
  return column(name)[row] ?? null;
}

function moment(seconds) {
  return seconds === null ? null : BASE + seconds;
}

// The identity of a stream in one line, in the order in which the field names it.
function path(row) {
  return ["domain_name", "app_name", "stream_name"]
    .map((name) => text(name, row))
    .filter(Boolean)
    .join("/");
}

function name(row) {
  return text("host", row) || path(row) || "?";
}

function windows(row) {
  return (number("windows", row) || []).map(([start, stop]) => ({ start: moment(start), stop: moment(stop) }));
}

function gaps(row) {
  return (number("gaps", row) || []).map(([start, stop, cause, missing]) => ({
    start: moment(start),
    stop: moment(stop),
    cause: STRINGS[cause],
    missing: missing ?? (start === null || stop === null ? null : stop - start), // of it, if not all
  }));
}

function files(row) {
  return (number("files", row) || []).map(unpackFile);
}

// A length of -1 is the time from start to stop; the name of the object follows a URL with a minus.
function unpackFile([start, stop, duration, size, format, status, note, path, name, url]) {
  const object = STRINGS[path] + STRINGS[name];
  return {
    start: moment(start),
    stop: moment(stop),
    duration: duration === -1 ? stop - start : duration,
    size,
    format: STRINGS[format],
    status: STRINGS[status],
    note: STRINGS[note],
    object,
    url: STRINGS[Math.abs(url)] + (url < 0 ? object : ""),
  };
}

// Return the share of what was expected that is recorded, or null if it is not known.
function recordedShare(row) {
  const [expected, recorded] = [number("expected_seconds", row), number("recorded_seconds", row)];
  return expected > 0 && recorded !== null ? recorded / expected : null;
}

function parseTime(iso) {
  return /^\d{4}-\d\d-\d\dT/.test(iso ?? "") ? Date.parse(iso) / 1000 : null;
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
