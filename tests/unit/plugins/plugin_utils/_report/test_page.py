# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the page of a report as text; tests/page looks at it in a browser."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re

import pytest

from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.document import Measures, make_document, make_run
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.entries import make_entry
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.page import ASSETS, SCRIPTS, make_page
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.page_data import pack
from support.reports import BEGAN, HOSTILE, SAMPLES, sample


def content(page, element):
    (found,) = re.findall(rf"<{element}>(.*?)</{element.split()[0]}>", page, re.DOTALL)
    return found


def policy(page):
    return html.unescape(re.search(r'http-equiv="Content-Security-Policy" content="(.*?)"', page)[1])


@pytest.mark.parametrize("name", ["one", "several", "hostile"])
def test_policy_allows_this_style_and_this_script_alone(name):
    page = make_page(sample(name))
    directives = dict(part.split(" ", 1) for part in policy(page).split("; "))
    for directive, element in (("script-src", 'script type="module"'), ("style-src", "style")):
        digest = base64.b64encode(hashlib.sha256(content(page, element).encode()).digest()).decode()
        assert directives[directive] == f"'sha256-{digest}'"
    assert directives["default-src"] == "'none'"
    assert "unsafe" not in policy(page)


@pytest.mark.parametrize("name", SAMPLES)
def test_data_ends_no_element_and_is_the_packed_document(name):
    document = sample(name)
    page = make_page(document)
    data = content(page, 'script type="application/json" id="data"')
    assert not re.search("[<>&]", data) and data.isascii()
    assert json.loads(data) == json.loads(json.dumps(pack(document)))
    assert len(re.findall("<script", page)) == 2


def test_every_asset_is_used_and_none_writes_markup():
    assert {path.name for path in ASSETS.iterdir()} == {*SCRIPTS, "style.css", "template.html"}
    for path in ASSETS.iterdir():
        text = path.read_text(encoding="utf-8")
        assert path.name == "template.html" or not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function|</script|<!--", text
        )
        assert not re.search(r"https?://(?!www\.w3\.org|www\.gnu\.org)", text)
        lines = text.splitlines()
        assert len(lines) <= 400 and max(map(len, lines)) <= 120, path.name


def test_texts_and_moments_are_packed_without_loss():
    document = sample("verify")
    data = pack(document)
    (run,), strings = data["runs"], data["strings"]
    assert len(strings) == len(set(strings))
    for number, row in enumerate(document["runs"][0]["streams"]):
        for field in ("host", "domain_name", "app_name", "status", "verdict", "reason"):
            assert strings[run["columns"][field][number]] == row[field]
        assert run["columns"]["recorded_seconds"][number] == pytest.approx(row["recorded_seconds"], abs=0.001)
        urls = []
        for file in run["columns"]["files"][number]:
            directory, last, url = file[7:]
            urls.append(strings[abs(url)] + (strings[directory] + strings[last]) * (url < 0))
        assert urls == [file["url"] for file in row["files"]]
    assert run["columns"]["windows"] == [[[0, 7200]]]
    assert data["base"] == BEGAN


def test_failed_rows_know_their_cause():
    document = sample("start")
    run = pack(document)["runs"][0]
    failures = document["runs"][0]["failures"]
    for row, cause in zip(document["runs"][0]["streams"], run["columns"]["cause"], strict=True):
        assert (row["host"] in failures[cause]["streams"]) if cause is not None else row["status"] != "failed"


def test_rows_with_the_same_name_or_none_have_their_own_causes():
    names = {"domain_name": "live.example.com", "app_name": "news", "stream_name": "studio1"}
    failed = [
        make_entry("studio", names, {"failed": True, "msg": "denied"}),
        make_entry("studio", {**names, "stream_name": "studio2"}, {"failed": True, "msg": "timed out"}),
        make_entry(None, None, {"failed": True, "msg": "the item is not a stream", "item": "studio3"}),
        make_entry(None, None, {"failed": True, "msg": "nothing is known"}),
    ]
    run = make_run("start", False, "complete", failed, Measures(BEGAN, BEGAN + 1))
    causes = [failure["cause"] for failure in run["failures"]]
    columns = pack(make_document([run], BEGAN))["runs"][0]["columns"]
    assert [causes[number] for number in columns["cause"]] == [row["error"]["message"] for row in failed]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_titles_are_escaped_where_no_script_sets_them(text):
    document = sample("one")
    document["runs"][0]["title"] = text
    document["generator"] = text
    page = make_page(document)
    page.encode()
    assert len(re.findall("<script", page)) == 2
    assert "<img" not in page and "<svg" not in page


def test_values_of_no_use_are_left_out():
    document = sample("one")
    document["runs"][0]["streams"][0].update(seconds=float("nan"), sent_at="yesterday", api_calls="many")
    columns = pack(document)["runs"][0]["columns"]
    assert not {"seconds", "sent_at", "api_calls", "verdict"} & columns.keys()
    json.loads(content(make_page(document), 'script type="application/json" id="data"'), parse_constant=pytest.fail)
