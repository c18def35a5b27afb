# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page for people who cannot see it well, and on paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from support.reports import sample

# Text, and the grounds on which it stands; what is not text needs less.
TEXT = [
    (text, ground)
    for text in ("text", "quiet", "link")
    for ground in ("ground", "surface", "raised", "good-tint", "bad-tint", "warn-tint", "neutral-tint")
] + [("good", "good-tint"), ("bad", "bad-tint"), ("bad", "surface"), ("bad", "raised"), ("ground", "text")]
SHAPES = [(shape, "surface") for shape in ("file", "bad", "push", "good", "warn", "strong-line", "focus")]
LUMINANCE = """([name, tone]) => {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const parts = getComputedStyle(probe).color.match(/\\d+/g).slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  probe.remove();
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_have_enough_contrast(scheme, open_page):
    page = open_page("start", color_scheme=scheme)

    def contrast(one: str, other: str) -> float:
        low, high = sorted(page.evaluate(LUMINANCE, [name, scheme]) for name in (one, other))
        return (high + 0.05) / (low + 0.05)

    assert [(pair, contrast(*pair)) for pair in TEXT if contrast(*pair) < 4.5] == []
    assert [(pair, contrast(*pair)) for pair in SHAPES if contrast(*pair) < 3] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "name, fragment", [("start", ""), ("verify", "stream=5"), ("several", ""), ("interrupted", "q=x")]
)
def test_axe_finds_nothing(name, fragment, scheme, browser, written: Callable[[str], Path]):
    # The page's own policy would refuse the program that examines it.
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto(f"{written(name).as_uri()}#{fragment}")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response
    context.close()
    assert len(found["passes"]) > 10
    assert [(rule["id"], rule["nodes"][0]["html"], rule["help"]) for rule in found["violations"]] == []


def test_screen_reader_hears_landmarks_headings_and_the_table(open_page):
    page = open_page("start", "q=stream00043")
    heard = page.locator("body").aria_snapshot()
    for part in (
        "- banner:",
        "- main:",
        '- heading "13 of 300 streams failed" [level=1]',
        '- heading "Failures by cause" [level=2]',
        "- search",
        '- searchbox "Search"',
        '- combobox "Result"',
        "- status: 1 of 300 streams",
        '- columnheader "Result',
        '- cell "failed"',
        '- button "stream00043"',
        '- img "command sent at 2027-01-02 20:00:',
    ):
        assert part in heard, heard


def test_reduced_motion_is_respected(open_page):
    for wish, animation in (("reduce", "none"), ("no-preference", "come")):
        page = open_page("start", "stream=1", reduced_motion=wish)
        assert page.evaluate("getComputedStyle(document.getElementById('detail')).animationName") == animation


def test_paper_has_all_failures_and_the_table_up_to_a_bound(open_page):
    page = open_page("large")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    text = page.locator("main").inner_text()
    run = sample("large")["runs"][0]
    for failure in run["failures"]:
        assert failure["advice"] in text
        assert all(name in text for name in failure["streams"])
    assert page.locator("#table-body tr[data-place]").count() == 2000
    assert "The table ends after 2,000 of 10,000 rows" in text
    for hidden in ("#controls", ".zone", ".screen-only"):
        assert not page.locator(hidden).first.is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("#table-body tr[data-place]").count() < 100


def test_printing_to_a_file_prints_every_row(open_page):
    # Each page of the file is an object of this kind; 300 rows need several, the few that are on the screen do not.
    pages = re.findall(rb"/Type\s*/Page\b", open_page("start").pdf())
    assert len(pages) >= 6
