# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a report in a browser: what it shows, how it is used, and that it is quiet, see the conftest."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from support.reports import HOSTILE, SAMPLES, sample

FOCUSED = "(({id, dataset, className}) => id || dataset.sort || className)(document.activeElement)"
ROWS = "#table-body tr[data-place]"
# What a name becomes that the page must not show as it is.
DISGUISED = {"\u202egnp.exe": "\\u202egnp.exe", "lone \ud800 surrogate": "lone \\ud800 surrogate"}


def names(page: Page) -> list[str]:
    """Return the names of the streams in the rows at hand, in their order."""
    return page.locator(f"{ROWS} .open").all_inner_texts()


def column(page: Page, name: str) -> list[str]:
    return page.locator(f"{ROWS} td.{name}").all_inner_texts()


def fragment(page: Page) -> str:
    return page.evaluate("decodeURIComponent(location.hash)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SAMPLES)
def test_page_is_quiet_and_shows_its_counts(name, scheme, open_page):
    page = open_page(name, color_scheme=scheme)
    counts = sample(name)["counts"]
    expect(page.locator(".tile .value").first).to_have_text(f"{counts['streams']:,}")
    for status in ("failed", "not_tried", "ok"):
        shown = page.locator(f".tile a.{status}")
        assert shown.all_inner_texts() == ([f"{counts[status]:,} {status.replace('_', ' ')}"] if counts[status] else [])
    expect(page.locator("#table")).to_have_attribute("aria-rowcount", str(counts["streams"] + 1))
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) > 600) == (scheme == "light")


@pytest.mark.parametrize(
    "name, headline, tone",
    [
        ("good", "All 50 streams succeeded", "good"),
        ("one", "The stream succeeded", "good"),
        ("start", "13 of 300 streams failed", "bad"),
        ("interrupted", "Interrupted: 2 of 300 streams failed, 120 not tried", "bad"),
        ("check", "Check mode: 300 of 300 streams would change", "neutral"),
        ("several", "15 of 900 results failed", "bad"),
        ("empty", "No stream", "neutral"),
        ("unknown", "4 of 4 recordings: unknown", "neutral"),
    ],
)
def test_headline_says_how_it_went(name, headline, tone, open_page):
    page = open_page(name)
    expect(page.get_by_role("heading", level=1)).to_have_text(headline)
    expect(page.locator("body")).to_have_attribute("data-tone", tone)
    assert headline in page.title()


def test_failures_are_grouped_with_advice_and_lead_to_their_streams(open_page):
    page = open_page("start")
    failures = sample("start")["runs"][0]["failures"]
    cards = page.locator(".cause")
    assert cards.count() == len(failures)
    for number, failure in enumerate(failures):
        expect(cards.nth(number)).to_contain_text(f"{len(failure['streams'])} × {failure['cause']}")
        expect(cards.nth(number)).to_contain_text(f"What to do: {failure['advice']}")
    cards.nth(1).get_by_role("link").click()
    assert sorted(names(page)) == sorted(failures[1]["streams"])
    expect(page.locator("#streams-title")).to_be_focused()
    expect(page.locator("#cause-filter")).to_have_text(f"Cause: {failures[1]['cause']}")
    page.go_back()
    expect(page.locator("#matches")).to_have_text("300 streams")


def test_tiles_show_rate_quota_and_throttled_calls(open_page):
    tiles = open_page("start").locator("#tiles")
    run = sample("start")["runs"][0]
    for text in (f"{run['rate']['calls_per_second']:.1f}", "50 allowed, limit 48", "of 305 calls", "6.6 s"):
        expect(tiles).to_contain_text(text)
    expect(tiles.locator(".attention")).to_contain_text("Throttled")
    expect(open_page("several", "run=1").locator("#tiles")).to_contain_text(
        "believed 300, peak 310 on 2027-01-02 20:00"
    )


def test_reason_of_an_accepted_verdict_stands_in_its_row(open_page):
    assert {words.strip() for words in column(open_page("unknown"), "message")} == {"Forbidden.RAM: not authorized"}


def test_advice_of_a_single_cause_stands_there_once(open_page):
    (failure,) = sample("cause")["runs"][0]["failures"]
    expect(open_page("cause").get_by_text(failure["advice"])).to_have_count(1)
    first = sample("start")["runs"][0]["failures"][0]
    expect(open_page("start").locator("#advice")).to_contain_text(first["advice"])


def test_too_few_calls_have_no_rate(open_page):
    tiles = open_page("one").locator("#tiles")
    expect(tiles).to_contain_text("Most calls in a second1too few calls for a rate")
    expect(tiles).to_contain_text("Quota used2 %")


def test_check_mode_says_what_would_change(open_page):
    expect(open_page("check").locator(".tile a.changed")).to_have_text("300 would change")


def test_long_address_shows_its_end(open_page):
    page = open_page("start")
    page.set_viewport_size({"width": 800, "height": 800})
    cell = page.locator(f"{ROWS} td.stream .sub").first
    box, text = (part.bounding_box() for part in (cell, cell.locator("bdi").first))
    assert text["width"] > box["width"]
    assert abs(text["x"] + text["width"] - box["x"] - box["width"]) < 1


def test_calls_per_second_stand_below_the_quota_line(open_page):
    page = open_page("start")
    drawing = page.get_by_role("img", name="At most 48 calls in a second; the quota is 50")
    assert drawing.locator(".bar").count() == len(sample("start")["runs"][0]["rate"]["by_second"])
    quota = float(drawing.locator(".quota").get_attribute("y1"))
    tops = [float(column.get_attribute("y")) for column in drawing.locator(".bar").all()]
    assert all(top > quota for top in tops)


def test_table_sorts_by_each_heading_in_both_directions(open_page):
    page = open_page("start")
    heading = page.get_by_role("columnheader", name="Seconds")
    expect(page.get_by_role("columnheader", name="Result")).to_have_attribute("aria-sort", "ascending")
    page.locator("#table").evaluate("table => table.scrollIntoView()")  # Rows are drawn where they can be seen.
    expect(page.locator(f"{ROWS} td.status").nth(12)).to_be_attached()
    assert column(page, "status")[:13] == ["failed"] * 13
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    rising = sorted(row["seconds"] for row in sample("start")["runs"][0]["streams"])
    first = column(page, "seconds")
    assert first == [f"{value:.1f}".removesuffix(".0") for value in rising[: len(first)]]
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    falling = column(page, "seconds")
    assert falling == [f"{value:.1f}".removesuffix(".0") for value in rising[::-1][: len(falling)]]
    assert fragment(page) == "#sort=-seconds"
    for name in ("Stream", "State", "Timeline", "Calls", "Message", "Result"):
        page.get_by_role("columnheader", name=name).get_by_role("button").click()
        expect(page.get_by_role("columnheader", name=name)).to_have_attribute("aria-sort", "ascending")


def test_filters_stand_in_the_address_and_back_undoes_them(open_page):
    page = open_page("start")
    search, matches = page.get_by_role("searchbox"), page.get_by_role("status")
    page.get_by_role("combobox", name="Result").select_option("failed")
    expect(matches).to_have_text("13 of 300 streams")
    search.press_sequentially("notfound news")
    expected = {
        row["host"]
        for row in sample("start")["runs"][0]["streams"]
        if row["app_name"] == "news" and "NotFound" in row.get("code", "")
    }
    assert set(names(page)) == expected
    assert fragment(page) == "#status=failed&q=notfound+news"
    page.go_back()
    expect(matches).to_have_text("13 of 300 streams")
    expect(search).to_have_value("")
    page.go_back()
    expect(matches).to_have_text("300 streams")
    expect(page.get_by_role("combobox", name="Result")).to_have_value("")
    page.go_forward()
    expect(matches).to_have_text("13 of 300 streams")
    page.get_by_role("button", name="Clear filters").click()
    expect(matches).to_have_text("300 streams")
    expect(search).to_be_focused()


def test_deep_link_shows_filter_order_and_stream(open_page):
    link = "status=ok&domain=push.example.net&app=city&q=stream000&sort=-stream"
    page = open_page("start", link)
    found = [
        row["host"]
        for row in sample("start")["runs"][0]["streams"]
        if (row["status"], row["domain_name"], row["app_name"]) == ("ok", "push.example.net", "city")
        and "stream000" in row["host"]
    ]
    assert names(page) == sorted(found, reverse=True)
    page = open_page("verify", "stream=5")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("stream00006")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert fragment(page) == ""
    page.go_back()
    expect(dialog).to_be_visible()


@pytest.mark.parametrize(
    "link",
    ["run=99", "status=%00&verdict=none", "sort=constructor", "stream=-1", "cause=7.7", "q=%E0%A4%A", "run=__proto__"],
)
def test_address_that_nobody_made_is_harmless(link, open_page):
    page = open_page("start", link)
    expect(page.get_by_role("heading", level=1)).to_have_text("13 of 300 streams failed")
    page.evaluate("location.hash = ''")
    expect(page.get_by_role("status")).to_have_text("300 streams")


def test_runs_are_shown_one_by_one_or_together(open_page):
    page = open_page("several")
    runs = page.get_by_role("navigation", name="Runs")
    assert runs.get_by_role("link").count() == 4
    runs.get_by_role("link", name="2 · status").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("All 300 streams succeeded")
    expect(page.locator("#failures")).to_be_hidden()
    runs.get_by_role("link", name="3 · verify").click()
    expect(page.get_by_role("columnheader", name="Verdict")).to_be_visible()
    assert fragment(page) == "#run=2"
    page.go_back()
    expect(page.get_by_role("columnheader", name="Verdict")).to_have_count(0)


def test_verification_shows_files_gaps_and_links(open_page):
    page = open_page("verify", "verdict=incomplete&sort=stream")
    rows = sorted(
        (row for row in sample("verify")["runs"][0]["streams"] if row["verdict"] == "incomplete"),
        key=lambda row: row["host"],
    )
    assert names(page) == [row["host"] for row in rows]
    for number, row in enumerate(rows):
        drawing = page.locator(ROWS).nth(number).get_by_role("img")
        assert drawing.locator(".file").count() == len(row["files"])
        assert drawing.locator(".gap.recording").count() == len(row["gaps"])
        assert f"{len(row['files'])} files" in drawing.get_attribute("aria-label")
    # The verification of the day after does not stretch the axis.
    assert page.locator("#table-head .axis-labels text").all_text_contents() == [
        "20:00",
        "20:30",
        "21:00",
        "21:30",
        "22:00",
    ]
    page.locator(f"{ROWS} .open").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(rows[0]["reason"])
    links = dialog.get_by_role("link")
    assert [link.get_attribute("href") for link in links.all()] == [file["url"] for file in rows[0]["files"]]
    assert {link.get_attribute("rel") for link in links.all()} == {"noopener noreferrer"}
    expect(dialog).to_contain_text("pushed, but not recorded")
    expect(dialog).to_contain_text("20:00:00")


def test_hostile_texts_are_shown_and_never_run(open_page):
    page = open_page("hostile")
    shown = set()
    for number in range(len(HOSTILE)):
        page.evaluate(f"location.hash = 'run=0&stream={number}'")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        shown.add(dialog.get_by_role("heading").text_content())
        assert dialog.locator("script, img, svg:not(.timeline):not(.axis-labels)").count() == 0
        assert [link.get_attribute("href") for link in dialog.get_by_role("link").all()] == []
        page.keyboard.press("Escape")
        page.wait_for_url(re.compile("#run=0$"))
    plain = {text for text in HOSTILE if text.isprintable()}
    assert plain <= shown
    assert set(DISGUISED.values()) <= shown
    assert page.locator("#table img, #table script, #causes img, #causes script").count() == 0


def test_name_turned_around_is_spelled_out(open_page):
    page = open_page("hostile", "q=gnp.exe&run=0")
    assert names(page) == [DISGUISED["\u202egnp.exe"]]


def test_ten_thousand_streams_are_scrolled_through(open_page):
    page = open_page("large", "sort=stream")
    assert page.locator(ROWS).count() < 80
    page.evaluate("document.querySelector('footer').scrollIntoView()")
    expect(page.locator(f'{ROWS}[aria-rowindex="10001"]')).to_contain_text("stream10000")
    assert page.locator(ROWS).count() < 80
    page.evaluate("window.scrollTo(0, document.body.scrollHeight / 2)")
    expect(page.locator(f'{ROWS}[aria-rowindex="10001"]')).to_have_count(0)
    page.wait_for_function("Math.abs(document.querySelector('#table-body tr[data-place]').dataset.place - 5000) < 200")
    indexes = [int(row.get_attribute("aria-rowindex")) for row in page.locator(ROWS).all()]
    assert indexes == list(range(indexes[0], indexes[0] + len(indexes)))
    assert names(page)[0] == f"stream{indexes[0] - 1:05}"


def test_keyboard_reaches_everything(open_page):
    page = open_page("large", "sort=stream")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Skip to the streams")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#streams-title")).to_be_focused()
    reached = []
    for _number in range(14):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    headings = ["status", "stream", "state", "time", "seconds", "calls", "message"]
    assert reached[:12] == ["filter-q", "filter-status", "filter-domain", "filter-app", *headings, "open"]
    page.locator(f"{ROWS} .open").first.focus()
    for key, index in (("ArrowDown", 3), ("End", 10001), ("ArrowUp", 10000), ("Home", 2), ("PageDown", None)):
        page.keyboard.press(key)
        focused = page.evaluate("Number(document.activeElement.closest('tr').getAttribute('aria-rowindex'))")
        assert focused == index if index else focused > 10
        box = page.locator(f'{ROWS}[aria-rowindex="{focused}"]').bounding_box()
        assert 30 <= box["y"] <= 900 - box["height"], key
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    assert page.evaluate("Number(document.activeElement.closest('tr').getAttribute('aria-rowindex'))") == focused


def test_focus_is_visible(open_page):
    page = open_page("start")
    for _number in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outline").endswith(" solid 2px")


def test_times_are_in_utc_or_those_of_the_reader(open_page):
    page = open_page("start", timezone_id="Asia/Shanghai")
    expect(page.locator("#subline")).to_contain_text("2027-01-02 20:00:00 – 20:00:06 UTC")
    page.get_by_role("combobox", name="Times").select_option("local")
    expect(page.locator("#subline")).to_contain_text("2027-01-03 04:00:00 – 04:00:06 Asia/Shanghai")
    assert fragment(page) == "#times=local"


def test_narrow_screen_needs_no_scrolling_to_the_side(open_page):
    for name in ("several", "verify", "hostile"):
        page = open_page(name, viewport={"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        expect(page.locator(f"{ROWS} .timeline").first).to_be_visible()


def test_policy_refuses_markup_and_scripts_of_others(browser, written):
    page = browser.new_page()
    page.goto(written("start").as_uri())
    refused = page.evaluate("try { document.body.innerHTML = '<b>'; 'taken' } catch (error) { error.name }")
    assert refused == "TypeError"
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.evaluate("document.body.append(document.createElement('style')); document.body.lastChild.append('b{}')")
    page.close()
