// --- filters ------------------------------------------------------------------------------------------------------

const MAX_OPTIONS = 1000; // of one list; beyond that, the free text finds it

function setOptions(key, all, pairs) {
  const place = document.getElementById(`filter-${key}`);
  place.replaceChildren(
    element("option", { value: "" }, all),
    ...pairs.map(([value, label]) => element("option", { value }, label)),
  );
  place.closest("label").hidden = pairs.length < 2 && !chosen[key];
  // An address may ask for what there is none of.
  if (chosen[key] && !pairs.some(([value]) => value === chosen[key]))
    place.append(element("option", { value: chosen[key] }, visible(chosen[key])));
  place.value = chosen[key];
}

function countValues(field) {
  const counts = new Map();
  for (const row of chosenRows()) {
    const value = text(field, row);
    if (value) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

function labelled([value, count]) {
  return [value, `${word(value).slice(0, 80)} (${formatNumber(count)})`];
}

function drawFilters() {
  const statuses = countValues("status");
  const changed = chosenRows().filter((row) => number("changed", row) > 0).length;
  const throttled = chosenRows().filter((row) => number("throttled", row) > 0).length;
  const extra = [
    ["changed", changed],
    ["throttled", throttled],
  ].filter(([, count]) => count);
  setOptions(
    "status",
    "any result",
    [
      ...["failed", "not_tried", "ok"].filter((key) => statuses.has(key)).map((key) => [key, statuses.get(key)]),
      ...extra,
    ].map(labelled),
  );
  const verdicts = countValues("verdict");
  setOptions(
    "verdict",
    "any verdict",
    VERDICTS.filter((key) => verdicts.has(key)).map((key) => labelled([key, verdicts.get(key)])),
  );
  const byName = ([one], [other]) => (one < other ? -1 : 1);
  setOptions("domain", "all domains", [...countValues("domain_name")].sort(byName).slice(0, MAX_OPTIONS).map(labelled));
  setOptions("app", "all apps", [...countValues("app_name")].sort(byName).slice(0, MAX_OPTIONS).map(labelled));
}

function showFilters() {
  for (const key of ["status", "verdict", "domain", "app"]) {
    const place = document.getElementById(`filter-${key}`);
    place.value = chosen[key];
    if (place.value !== chosen[key]) drawFilters();
  }
  const search = document.getElementById("filter-q");
  if (search.value.trim() !== chosen.q) search.value = chosen.q;
  document.getElementById("clear").hidden = !isFiltered();
  const [run, cause] = chosen.cause.split(".").map(Number);
  const failure = chosen.cause && RUNS[run]?.failures[cause];
  document.getElementById("cause-filter").hidden = !failure;
  if (failure) replaceContent("cause-filter", "Cause: ", foreign(failure.cause));
  document.getElementById("zone").value = chosen.times;
}

// --- the page -----------------------------------------------------------------------------------------------------

// Draw what another choice changes, and no more: ten thousand rows leave no time for the rest.
function showChoice(before) {
  const changed = Object.keys(DEFAULTS).filter((key) => !before || before[key] !== chosen[key]);
  if (changed.includes("run") || changed.includes("times")) drawRun();
  else if (changed.some((key) => key !== "stream")) keepInView(drawTable);
  showFilters();
  if (changed.includes("stream") || changed.includes("times")) showStream();
}

function drawRun() {
  drawHeadline();
  drawRuns();
  drawTiles();
  drawFailures();
  drawWarnings();
  drawRate();
  drawFilters();
  drawLegend();
  drawTable();
}

// A shorter list must not throw the reader to another part of the page.
function keepInView(draw) {
  const controls = document.getElementById("controls");
  const before = controls.getBoundingClientRect().top;
  draw();
  const moved = controls.getBoundingClientRect().top - before;
  if (moved) window.scrollBy(0, moved);
  drawRows();
}

function showStream() {
  for (const [place, drawn] of table.drawn) drawn.toggleAttribute("aria-current", table.rows[place] === rowOfAddress());
  drawDetail();
}

function listen() {
  for (const key of ["status", "verdict", "domain", "app"]) {
    document.getElementById(`filter-${key}`).addEventListener("change", (event) => go({ [key]: event.target.value }));
  }
  const search = document.getElementById("filter-q");
  search.addEventListener("input", () => go({ q: search.value.trim() }, chosen.q !== ""));
  document.getElementById("controls").addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("clear").addEventListener("click", () => {
    go(cleared());
    search.focus();
  });
  document.getElementById("zone").addEventListener("change", (event) => go({ times: event.target.value }));
  document.getElementById("skip").addEventListener("click", () => document.getElementById("streams-title").focus());
  const shown = document.getElementById("table");
  shown.addEventListener("keydown", handleTableKey);
  shown.addEventListener("click", handleTableClick);
  const dialog = document.getElementById("detail");
  dialog.addEventListener("close", closeDetail);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.getElementById("detail-close").addEventListener("click", () => dialog.close());
  listenToWindow();
}

function listenToWindow() {
  // Both come after "back" in an address with another fragment; the second changes nothing any more.
  window.addEventListener("popstate", follow);
  window.addEventListener("hashchange", follow);
  window.addEventListener("scroll", drawRows, { passive: true });
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    drawRows();
    if (width !== window.innerWidth) drawRate();
    width = window.innerWidth;
  });
  window.addEventListener("beforeprint", () => printing(true));
  window.addEventListener("afterprint", () => printing(false));
}

// Paper does not scroll: all rows stand there, up to a bound that is said.
function printing(isPrinting) {
  table.printing = isPrinting;
  drawRows();
  const rows = `${formatNumber(MAX_PRINTED_ROWS)} of ${plural(table.rows.length, "row")}`;
  const isCut = table.rows.length > MAX_PRINTED_ROWS;
  replaceContent("print-note", isCut ? `The table ends after ${rows}: filter it before printing.` : "");
}

document.body.prepend(makePatterns());
const writtenAt = formatTime(parseTime(PACKED.written_at), "utc");
replaceContent("written", `Written ${writtenAt} UTC by ${visible(PACKED.generator)}`);
listen();
showChoice(null);
