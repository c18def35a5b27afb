// --- failures and warnings ----------------------------------------------------------------------------------------

const MAX_OPEN_CAUSES = 5;
const MAX_NAMES = 12;

function drawFailures() {
  const groups = chosenRuns().flatMap((run) =>
    RUNS[run].failures.map((failure, place) => ({ ...failure, run, place })),
  );
  groups.sort((a, b) => b.streams.length - a.streams.length);
  document.getElementById("failures").hidden = !groups.length;
  const cards = groups.map(drawCause);
  const rest = cards.splice(MAX_OPEN_CAUSES);
  const more =
    rest.length &&
    element(
      "details",
      {},
      element("summary", {}, `${plural(rest.length, "more cause")}`),
      element("ul", { class: "causes" }, ...rest),
    );
  replaceContent("causes", ...cards);
  replaceContent("more-causes", more || null);
}

function drawCause({ cause, advice, streams, run, place }) {
  const names = streams.map((name) => visible(STRINGS[name]));
  const link = choiceLink(
    { ...cleared(), cause: `${run}.${place}` },
    { class: "button", "data-goes": "streams-title" },
    names.length === 1 ? "Show it in the table" : `Show these ${formatNumber(names.length)} in the table`,
  );
  return element(
    "li",
    { class: "cause" },
    element(
      "h3",
      {},
      element("span", { class: "times" }, `${formatNumber(names.length)} ×`),
      " ",
      foreign(cause),
      chosenRuns().length > 1 ? element("span", { class: "quiet" }, " in ", foreign(RUNS[run].title)) : null,
    ),
    advice ? element("p", { class: "advice" }, element("strong", {}, "What to do: "), foreign(advice)) : null,
    element("p", { class: "names" }, ...listNames([...new Set(names)])),
    link,
  );
}

// On paper there is nothing to press, so that all names stand there.
function listNames(names) {
  const shown = names.slice(0, MAX_NAMES).flatMap((name, place) => [place ? ", " : "", element("bdi", {}, name)]);
  const left = names.slice(MAX_NAMES);
  if (!left.length) return shown;
  return [
    ...shown,
    element("span", { class: "screen-only" }, ` and ${formatNumber(left.length)} more`),
    element("span", { class: "print-only" }, `, ${left.join(", ")}`),
  ];
}

function drawWarnings() {
  const warnings = chosenRuns().flatMap((run) => RUNS[run].warnings ?? []);
  document.getElementById("warnings").hidden = !warnings.length;
  replaceContent("warning-list", ...[...new Set(warnings)].map((warning) => element("li", {}, foreign(warning))));
}
