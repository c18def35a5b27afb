# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of 10,000 streams, in size and time. Bounds are generous; the figures themselves are printed in the end."""

from __future__ import annotations

import json
import time

import pytest

from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.page import make_page
from support.reports import sample

PAINT = """() => new Promise((resolve) => new PerformanceObserver((list) => {
  const [largest, loaded] = [list.getEntries().at(-1), performance.getEntriesByType("navigation")[0]];
  // The script runs before the document counts as loaded.
  setTimeout(() => resolve(Math.max(largest.startTime, loaded.domContentLoadedEventStart)), 0);
}).observe({ type: "largest-contentful-paint", buffered: true }))"""
# The time until the frame that shows the result is painted.
CHANGE = """([id, value]) => new Promise((resolve) => {
  const began = performance.now();
  const input = document.getElementById(id);
  input.value = value;
  input.dispatchEvent(new Event(id === "filter-q" ? "input" : "change"));
  const script = performance.now() - began;
  requestAnimationFrame(() => setTimeout(() => resolve([script, performance.now() - began]), 0));
})"""


@pytest.mark.parametrize("name", ["large", "large_verify"])
def test_ten_thousand_streams_are_small_and_fast(name, open_page, record_property):
    document = sample(name)
    began = time.perf_counter()
    size = len(make_page(document).encode())
    made = time.perf_counter() - began
    page = open_page(name)
    painted = page.evaluate(PAINT)
    searches = [page.evaluate(CHANGE, ["filter-q", text]) for text in ("s", "stream0", "stream09", "news", "")]
    choices = [page.evaluate(CHANGE, ["filter-status", value]) for value in ("failed", "ok", "")]
    figures = {
        "page": name,
        "MB": round(size / 1e6, 2),
        "made in s": round(made, 2),
        "painted after ms": round(painted),
        "filter, script, ms": [round(script) for script, _shown in searches + choices],
        "filter, until painted, ms": [round(shown) for _script, shown in searches + choices],
    }
    record_property("figures", json.dumps(figures))
    assert size <= 4_000_000
    assert painted <= 3000
    assert max(script for script, _shown in searches + choices) <= 500
