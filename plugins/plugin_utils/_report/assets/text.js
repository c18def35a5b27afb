// Copyright (c) 2026 The apsaravideo.live authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// --- text ---------------------------------------------------------------------------------------------------------
// Names and messages come from strangers. They reach the page as text nodes and attributes only, never as markup; the
// Content-Security-Policy makes the browser refuse anything else.

const SVG = "http://www.w3.org/2000/svg";
// Maps, because a stranger's state may have the name of something that every object has.
const WORDS = new Map(
  Object.entries({
    ok: "ok",
    failed: "failed",
    not_tried: "not tried",
    changed: "changed",
    throttled: "throttled",
    complete: "complete",
    interrupted: "push interrupted",
    incomplete: "incomplete",
    nothing_recorded: "nothing recorded",
    unknown: "unknown",
  }),
);

// Controls, marks that turn the direction of text around, and halves of characters would hide or disguise a name.
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Cs}/gu;

function visible(text) {
  return String(text ?? "").replace(UNSEEN, (found) => `\\u${found.codePointAt(0).toString(16).padStart(4, "0")}`);
}

function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function shape(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

// A name of a stranger's stands in an element of its own, so that its writing direction changes nothing around it.
function foreign(text, attributes = {}) {
  return element("bdi", attributes, visible(text));
}

function word(kind) {
  return WORDS.get(kind) ?? visible(kind);
}

// A result or a verdict, with the sign and the colour of those that are known.
function mark(kind) {
  return element("span", { class: `mark ${WORDS.has(kind) ? kind : ""}` }, foreign(word(kind)));
}

function addCounts(counts, more) {
  for (const [key, count] of Object.entries(more)) counts.set(key, (counts.get(key) ?? 0) + count);
  return counts;
}

function replaceContent(id, ...children) {
  const found = document.getElementById(id);
  found.replaceChildren(...children.filter((child) => child !== null));
  return found;
}

// --- numbers and times --------------------------------------------------------------------------------------------

const PLAIN = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

function formatNumber(number) {
  return number === null || number === undefined ? "–" : PLAIN.format(number);
}

function plural(number, word) {
  return `${formatNumber(number)} ${word}${number === 1 ? "" : "s"}`;
}

function formatShare(share) {
  // A recording that lacks a second of a day is not one of 100 %.
  const percent = share < 1 ? Math.min(99.9, Math.round(share * 1000) / 10) : Math.round(share * 1000) / 10;
  return `${formatNumber(percent)} %`;
}

function formatDuration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 60) return `${PLAIN.format(seconds)} s`;
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return parts.map((part, place) => (place ? pad(part) : part)).join(":");
}

function formatSize(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${PLAIN.format(bytes / 1024 ** power)} ${units[power]}`;
}

function pad(number) {
  return String(number).padStart(2, "0");
}

// Return the date and the time of seconds since 1970, in UTC or in the zone of the reader.
function splitTime(seconds, zone) {
  const at = new Date(seconds * 1000);
  if (Number.isNaN(at.getTime())) return ["", ""];
  const shifted = zone === "local" ? new Date(at.getTime() - at.getTimezoneOffset() * 60000) : at;
  const [date, time] = shifted.toISOString().split("T");
  return [date, time.slice(0, 8)];
}

function formatClock(seconds, zone) {
  return splitTime(seconds, zone)[1];
}

function formatTime(seconds, zone) {
  return splitTime(seconds, zone).join(" ");
}
