// --- table --------------------------------------------------------------------------------------------------------
// Only the rows near the window are in the page, between two empty ones that are as high as all the others; the
// numbers in aria-rowcount and aria-rowindex tell a screen reader what there would be.

const OVERSCAN = 12; // rows drawn beyond each edge of the window
const MAX_PRINTED_ROWS = 2000;
const HEADINGS = [
  { key: "status", label: "Result" },
  { key: "stream", label: "Stream" },
  { key: "state", label: "State", without: "verdict" },
  { key: "state", label: "Verdict", needs: "verdict" },
  { key: "recorded", label: "Recorded", needs: "verdict" },
  { key: "time", label: "Timeline" },
  { key: "seconds", label: "Seconds", without: "verdict" },
  { key: "calls", label: "Calls" },
  { key: "message", label: "Message" },
];
const table = { rows: [], drawn: new Map(), height: 44, active: 0, range: null, ticks: [], printing: false };

function headings() {
  const isVerify = chosenRuns().some((run) => RUNS[run].columns.verdict);
  return HEADINGS.filter(({ needs, without }) => (needs ? isVerify : without ? !isVerify : true));
}

function drawHeadings() {
  const [sorted, isDescending] = [chosen.sort.replace("-", ""), chosen.sort.startsWith("-")];
  const cells = headings().map(({ key, label }) => {
    const direction = key === sorted ? (isDescending ? "descending" : "ascending") : "none";
    const button = element(
      "button",
      { type: "button", "data-sort": key },
      label,
      element(
        "span",
        { class: "arrow", "aria-hidden": "true" },
        { ascending: "▲", descending: "▼", none: "" }[direction],
      ),
    );
    button.addEventListener("click", () => sortBy(key, direction));
    return element(
      "th",
      { role: "columnheader", scope: "col", class: key, "aria-sort": direction },
      button,
      key === "time" ? drawAxis(table.range) : null,
    );
  });
  const focused = document.activeElement?.dataset?.sort;
  thinAxis(replaceContent("table-head", element("tr", { role: "row", "aria-rowindex": 1 }, ...cells)));
  if (focused) document.querySelector(`#table-head [data-sort="${focused}"]`)?.focus();
}

function sortBy(key, direction) {
  go({ sort: direction === "ascending" ? `-${key}` : key });
}

// Draw the table anew, for other rows or another order.
function drawTable() {
  table.rows = selectRows();
  table.range = timeRange();
  table.ticks = table.range ? makeTicks(table.range).ticks : [];
  table.active = Math.max(0, table.rows.indexOf(rowOfAddress()));
  drawHeadings();
  document.getElementById("table").setAttribute("aria-rowcount", table.rows.length + 1);
  const [before, after] = ["before", "after"].map((id) => element("tr", { class: "space", id, "aria-hidden": "true" }));
  replaceContent("table-body", before, after);
  table.drawn.clear();
  document.getElementById("none").hidden = table.rows.length > 0;
  drawRows();
  sayMatches();
}

function sayMatches() {
  const all = sum(chosenRuns().map((run) => RUNS[run].size));
  const word = chosenRuns().length > 1 ? "result" : "stream";
  const said = isFiltered() ? `${formatNumber(table.rows.length)} of ${plural(all, word)}` : plural(all, word);
  const place = document.getElementById("matches");
  if (place.textContent !== said) place.textContent = said;
}

function visibleRange() {
  if (table.printing) return [0, Math.min(table.rows.length, MAX_PRINTED_ROWS)];
  const top = document.getElementById("table-body").getBoundingClientRect().top;
  const first = Math.floor(-top / table.height) - OVERSCAN;
  const end = Math.ceil((window.innerHeight - top) / table.height) + OVERSCAN;
  const count = table.rows.length;
  // Beyond the window there are a few rows all the same, so that the keyboard finds the table.
  const start = Math.max(0, Math.min(first, count - 1));
  return [start, Math.min(count, Math.max(start + 1, end))];
}

// Draw the rows that have come near the window, and remove those that have left it.
function drawRows() {
  const [first, end] = visibleRange();
  const gone = [...table.drawn].filter(([place]) => place < first || place >= end);
  keepFocus(gone);
  for (const [place, drawn] of gone) {
    drawn.remove();
    table.drawn.delete(place);
  }
  const after = document.getElementById("after");
  let next = after;
  for (let place = end - 1; place >= first; place -= 1) {
    let drawn = table.drawn.get(place);
    if (!drawn) {
      drawn = drawRow(table.rows[place], place);
      table.drawn.set(place, drawn);
      next.before(drawn);
    }
    next = drawn;
  }
  document.getElementById("before").style.height = `${first * table.height}px`;
  after.style.height = `${(table.rows.length - end) * table.height}px`;
  setTabStop();
  measureRow(first);
}

// The keyboard continues from the table if the row it was in is scrolled away. This comes before any row is removed:
// the browser lays out the page for it, and a page without those rows may be too short for where the reader is.
function keepFocus(gone) {
  const has = gone.some(([, drawn]) => drawn.contains(document.activeElement));
  if (has) document.getElementById("table").focus({ preventScroll: true });
}

// A reader's own size of text makes rows higher than the style sheet says.
function measureRow(place) {
  const height = table.printing ? 0 : table.drawn.get(place)?.getBoundingClientRect().height;
  if (!height || Math.abs(height - table.height) < 0.5) return;
  table.height = height;
  drawRows();
}

// Ten thousand buttons would be ten thousand stops of the tabulator key: one is, and arrow keys move it.
function setTabStop() {
  const stop = table.drawn.has(table.active) ? table.active : Math.min(...table.drawn.keys());
  for (const [place, drawn] of table.drawn) drawn.querySelector("button").tabIndex = place === stop ? 0 : -1;
}

function drawRow(row, place) {
  const cells = headings().map(({ key }) => element("td", { role: "cell", class: key }, ...[CELLS[key](row)].flat()));
  const drawn = element("tr", { role: "row", "aria-rowindex": place + 2 }, ...cells);
  drawn.dataset.place = place;
  if (row === rowOfAddress()) drawn.setAttribute("aria-current", "true");
  return drawn;
}

const CELLS = {
  status: (row) => mark(text("status", row)),
  stream: (row) => {
    const button = element("button", { type: "button", class: "open", "aria-haspopup": "dialog" }, foreign(name(row)));
    const runName = chosen.run === "all" && RUNS.length > 1 ? [foreign(RUNS[RUN_OF_ROW[row]].title), " · "] : [];
    // The names of streams differ at their ends, so that the style sheet cuts a long address at its beginning.
    return [button, element("small", { class: "sub" }, element("bdi", { dir: "ltr" }, ...runName, foreign(path(row))))];
  },
  state: (row) => {
    const [verdict, state, before] = ["verdict", "state", "previous_state"].map((field) => text(field, row));
    if (verdict) return mark(verdict);
    const was = before && before !== state ? [element("small", { class: "sub" }, "was ", foreign(before))] : [];
    return [
      element(
        "span",
        { class: "line" },
        foreign(state || "–"),
        number("changed", row) ? element("span", { class: "tag" }, "changed") : null,
      ),
      ...was,
    ];
  },
  recorded: (row) => {
    const share = recordedShare(row);
    if (share === null) return "–";
    return [
      element("span", { class: "line" }, formatShare(share)),
      element(
        "small",
        { class: "sub" },
        `${formatDuration(number("recorded_seconds", row))} of ${formatDuration(number("expected_seconds", row))}`,
      ),
    ];
  },
  time: (row) => drawTimeline(row, table.range, table.ticks),
  seconds: (row) => formatNumber(number("seconds", row)),
  calls: (row) => {
    const throttled = number("throttled", row);
    return [
      formatNumber(number("api_calls", row)),
      throttled ? element("small", { class: "sub" }, `${throttled} throttled`) : "",
    ];
  },
  message: (row) => {
    const [code, message] = [text("code", row), shortMessage(row)];
    const lines = [code, message, text("reason", row)].filter(Boolean);
    const more = lines.slice(1).join(" · ");
    return [element("span", { class: "line" }, foreign(lines[0])), element("small", { class: "sub" }, foreign(more))];
  },
};

// The message begins with the names of the stream, which stand in the row already; the cause of a group does not.
function shortMessage(row) {
  const cause = RUNS[RUN_OF_ROW[row]].failures[number("cause", row)]?.cause ?? text("message", row);
  const beginning = `${text("code", row)}: `;
  return cause.startsWith(beginning) ? cause.slice(beginning.length) : cause;
}

// --- keyboard -----------------------------------------------------------------------------------------------------

function moveTo(place) {
  table.active = Math.max(0, Math.min(table.rows.length - 1, place));
  const head = document.getElementById("table-head").getBoundingClientRect().height;
  const top = document.getElementById("table-body").getBoundingClientRect().top + table.active * table.height;
  if (top < head) window.scrollBy(0, Math.floor(top - head));
  else if (top + table.height > window.innerHeight)
    window.scrollBy(0, Math.ceil(top + table.height - window.innerHeight));
  drawRows();
  table.drawn.get(table.active)?.querySelector("button").focus({ preventScroll: true });
}

function handleTableKey(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("thead")) return;
  const page = Math.max(1, Math.floor(window.innerHeight / table.height) - 3);
  const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
  if (!(event.key in moves) || !table.rows.length) return;
  event.preventDefault();
  moveTo(table.active + moves[event.key]);
}

function handleTableClick(event) {
  const place = event.target.closest("tr[data-place]")?.dataset.place;
  if (place === undefined) return;
  table.active = Number(place);
  setTabStop();
  go({ stream: String(table.rows[place]) });
}
