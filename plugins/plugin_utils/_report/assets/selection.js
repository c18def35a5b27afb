// --- selection ----------------------------------------------------------------------------------------------------

const STATUS_RANKS = new Map(["failed", "not_tried", "ok"].map((status, rank) => [status, rank]));
const VERDICTS = ["nothing_recorded", "incomplete", "unknown", "interrupted", "complete"]; // the worst one first
const VERDICT_RANKS = new Map(VERDICTS.map((verdict, rank) => [verdict, rank]));
const FILTERS = ["status", "verdict", "domain", "app", "cause", "q"];
const SEARCHED = [
  "host",
  "domain_name",
  "app_name",
  "stream_name",
  "state",
  "verdict",
  "code",
  "message",
  "reason",
  "request_id",
];
const haystacks = [];
const sortKeys = {};

// A sort order is the numbers of a column; where there is none, the row comes last in both directions.
const SORTS = {
  status: (row) => STATUS_RANKS.get(text("status", row)) ?? 3,
  stream: (row) => ranks()[column(text("host", row) ? "host" : "stream_name")[row] ?? 0],
  state: (row) => VERDICT_RANKS.get(text("verdict", row)) ?? 10 + ranks()[column("state")[row] ?? 0],
  recorded: (row) => recordedShare(row),
  time: (row) => commandTime(row) ?? (number("windows", row) || [])[0]?.[0] ?? null,
  seconds: (row) => number("seconds", row),
  calls: (row) => number("api_calls", row),
  message: (row) => (text("message", row) ? ranks()[column("message")[row]] : null),
};

// Return the place of each text in alphabetical order, so that rows are compared as numbers.
function ranks() {
  if (!ranks.made) {
    const collator = new Intl.Collator("en", { numeric: true });
    const order = STRINGS.map((_, place) => place).sort((a, b) => collator.compare(STRINGS[a], STRINGS[b]));
    ranks.made = new Array(STRINGS.length);
    order.forEach((place, rank) => {
      ranks.made[place] = rank;
    });
  }
  return ranks.made;
}

function haystack(row) {
  haystacks[row] ??= SEARCHED.map((field) => text(field, row))
    .join("\n")
    .toLowerCase();
  return haystacks[row];
}

function chosenRuns() {
  return chosen.run === "all" ? RUNS.map((_, run) => run) : [Number(chosen.run)];
}

function chosenRows() {
  return chosenRuns().flatMap((run) => Array.from({ length: RUNS[run].size }, (_, place) => FIRST_ROWS[run] + place));
}

// Return a test for rows of each filter that is set.
function makeTests() {
  const words = chosen.q.toLowerCase().split(/\s+/).filter(Boolean);
  const [causeRun, cause] = chosen.cause.split(".").map(Number);
  const has = (field, value) => {
    const [values, place] = [column(field), STRINGS.indexOf(value)];
    return (row) => (values[row] ?? 0) === place;
  };
  return [
    ["changed", "throttled"].includes(chosen.status)
      ? (row) => number(chosen.status, row) > 0
      : chosen.status && has("status", chosen.status),
    chosen.verdict && has("verdict", chosen.verdict),
    chosen.domain && has("domain_name", chosen.domain),
    chosen.app && has("app_name", chosen.app),
    chosen.cause && ((row) => RUN_OF_ROW[row] === causeRun && number("cause", row) === cause),
    words.length && ((row) => words.every((word) => haystack(row).includes(word))),
  ].filter(Boolean);
}

function isFiltered() {
  return FILTERS.some((filter) => chosen[filter]);
}

// Return the numbers of the rows to show, in their order.
function selectRows() {
  const tests = makeTests();
  const rows = chosenRows().filter((row) => tests.every((test) => test(row)));
  const descending = chosen.sort.startsWith("-");
  const by = chosen.sort.replace("-", "");
  if (!SORTS[by]) return rows;
  sortKeys[by] ??= Array.from({ length: rowCount }, (_, row) => SORTS[by](row));
  const keys = sortKeys[by];
  return rows.sort((a, b) => {
    const [one, other] = [keys[a], keys[b]];
    if (one === null || other === null) return (one === null) - (other === null) || a - b;
    return (descending ? other - one : one - other) || a - b;
  });
}
