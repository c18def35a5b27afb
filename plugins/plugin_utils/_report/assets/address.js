// --- address ------------------------------------------------------------------------------------------------------
// What is shown stands in the fragment of the address: a link shows the same, and "back" undoes a choice.

const DEFAULTS = {
  run: RUNS.length === 1 ? "0" : "all",
  status: "",
  verdict: "",
  domain: "",
  app: "",
  cause: "",
  q: "",
  sort: "status",
  stream: "",
  times: "utc",
};
let chosen = readAddress();

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const read = Object.fromEntries(Object.entries(DEFAULTS).map(([key, value]) => [key, given.get(key) ?? value]));
  if (read.run !== "all" && !(/^\d+$/.test(read.run) && Number(read.run) < RUNS.length)) read.run = DEFAULTS.run;
  return read;
}

function makeAddress(changes) {
  const wanted = new URLSearchParams();
  for (const [key, value] of Object.entries({ ...chosen, ...changes })) {
    if (value !== DEFAULTS[key]) wanted.set(key, value);
  }
  // An address that ends in # alone is one too; without it the browser would go nowhere.
  return `#${wanted}`;
}

// Show something else. What is typed letter by letter replaces the entry of the history rather than adding to it.
function go(changes, replace = false) {
  const address = makeAddress(changes);
  if (address === `#${location.hash.slice(1)}`) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  follow();
}

function follow() {
  const before = chosen;
  chosen = readAddress();
  showChoice(before);
}

// A link within the page is one that can be copied; following it does not load or scroll anything.
function choiceLink(changes, attributes, ...children) {
  const link = element("a", { href: makeAddress(changes), ...attributes }, ...children);
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go(changes);
    if (link.dataset.goes) document.getElementById(link.dataset.goes).focus();
  });
  return link;
}
