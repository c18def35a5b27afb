// --- calls per second ---------------------------------------------------------------------------------------------

const CHART_HEIGHT = 132;
const MARGIN = { top: 16, right: 8, bottom: 20, left: 30 };
const MIN_BAR = 3;
const MAX_BAR = 48;
const MAX_CHARTS = 6;
const MIN_CALLS = 10; // of a run whose rate is worth a drawing

function drawRate() {
  const runs = chosenRuns()
    .map((run) => RUNS[run])
    .filter((run) => sum((run.rate?.by_second ?? []).map(([, calls]) => calls)) >= MIN_CALLS);
  document.getElementById("rate").hidden = !runs.length;
  const place = document.getElementById("charts");
  const shown = runs.slice(0, MAX_CHARTS);
  const columns = shown.length > 1 && place.clientWidth > 700 ? 2 : 1;
  const width = Math.max(240, place.clientWidth / columns - (columns > 1 ? 12 : 0));
  const omitted =
    runs.length > shown.length
      ? element("p", { class: "quiet" }, `${plural(runs.length - shown.length, "more run")}: choose one above.`)
      : null;
  replaceContent("charts", ...shown.map((run) => drawChart(run, width, shown.length > 1)), omitted);
}

// Seconds without a call have no entry; a long run has fewer bars, each as high as its busiest second.
function makeBars(bySecond, most) {
  const [first, last] = [bySecond[0][0], bySecond[bySecond.length - 1][0]];
  const step = Math.ceil((last - first + 1) / most);
  const bars = new Array(Math.ceil((last - first + 1) / step)).fill(0);
  for (const [second, calls] of bySecond) {
    const place = Math.floor((second - first) / step);
    bars[place] = Math.max(bars[place], calls);
  }
  return { bars, step, first, last };
}

function drawChart(run, width, isTitled) {
  const { quota, limit, by_second: bySecond, operation } = run.rate;
  const inner = { width: width - MARGIN.left - MARGIN.right, height: CHART_HEIGHT - MARGIN.top - MARGIN.bottom };
  const { bars, step, first, last } = makeBars(bySecond, Math.floor(inner.width / MIN_BAR));
  const top = Math.max(quota ?? 0, ...bars) * 1.1 || 1;
  const y = (calls) => MARGIN.top + inner.height * (1 - calls / top);
  const words = describeRate(run, bars);
  const drawn = shape(
    "svg",
    { viewBox: `0 0 ${width} ${CHART_HEIGHT}`, role: "img", "aria-label": words, class: "chart" },
    ...drawBars(bars, inner.width, y),
    line("axis", width, y(0)),
    ...(quota
      ? [line("quota", width, y(quota)), label(MARGIN.left - 4, y(quota) + 4, quota, "end", "quota-label")]
      : []),
    ...(limit && limit !== quota ? [line("limit", width, y(limit))] : []),
    label(MARGIN.left - 4, y(0), 0, "end"),
    label(MARGIN.left, CHART_HEIGHT - 5, formatClock(first, chosen.times), "start"),
    ...labelEnd(bars, inner.width, last),
  );
  const caption = [
    isTitled ? `${visible(run.title)}: ` : "",
    words,
    step > 1 ? ` A bar is ${step} s, as high as its busiest second.` : "",
  ];
  return element(
    "figure",
    {},
    drawn,
    element("figcaption", {}, caption.join(""), " ", element("code", {}, visible(operation))),
  );
}

function drawBars(bars, width, y) {
  const slot = barSlot(bars, width);
  const gap = slot > 5 ? 1 : 0;
  return bars
    .map(
      (calls, place) =>
        calls &&
        shape("rect", {
          class: "bar",
          x: MARGIN.left + place * slot,
          width: slot - gap,
          y: y(calls),
          height: y(0) - y(calls),
        }),
    )
    .filter(Boolean);
}

// The last label stands below the last bar, and not at all where it would cover the first.
function labelEnd(bars, width, last) {
  const x = bars.length * barSlot(bars, width);
  return x > 120 ? [label(MARGIN.left + x, CHART_HEIGHT - 5, formatClock(last, chosen.times), "end")] : [];
}

function barSlot(bars, width) {
  return Math.min(MAX_BAR, width / bars.length);
}

function line(kind, width, y) {
  return shape("line", { class: kind, x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y });
}

function label(x, y, shown, anchor, kind = "") {
  return shape("text", { x, y, "text-anchor": anchor, class: `label ${kind}` }, String(shown));
}

function describeRate({ rate }, bars) {
  const most = `At most ${plural(Math.max(...bars), "call")} in a second`;
  return rate.quota
    ? `${most}; the quota is ${formatNumber(rate.quota)}, the run's limit ${formatNumber(rate.limit)}.`
    : `${most}.`;
}
