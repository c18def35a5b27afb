# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real browser, and pages of reports in it that may say nothing, load nothing and run nothing of a stranger's."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import chromium

from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.page import make_page
from support.reports import sample

WATCH = "addEventListener('securitypolicyviolation', (event) => console.log('violation', event.violatedDirective))"
Open = Callable[..., Page]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have measured."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    if path is None:
        pytest.skip(chromium.MISSING)
    with sync_playwright() as playwright:
        # The sandbox of a browser that root starts is one that it refuses to start without.
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = playwright.chromium.launch(executable_path=path, args=root)
        yield started
        started.close()


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that writes the page of a sample once, and returns its path."""
    directory = tmp_path_factory.mktemp("pages")

    def write(name: str) -> Path:
        path = directory / f"{name}.html"
        if not path.exists():
            path.write_text(make_page(sample(name)), encoding="utf-8")
        return path

    return write


@pytest.fixture
def open_page(browser: Browser, written: Callable[[str], Path]) -> Iterator[Open]:
    """Return a function that opens the page of a sample; in the end, each page has to have been quiet."""
    contexts, noise = [], []

    def open_(name: str, fragment: str = "", **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}, "offline": True, **options})
        contexts.append(context)
        context.set_default_timeout(10_000)
        context.add_init_script(WATCH)
        page = context.new_page()
        address = written(name).as_uri()
        page.on("console", lambda message: noise.append(("console", message.text)))
        page.on("pageerror", lambda error: noise.append(("error", str(error))))
        page.on("dialog", lambda dialog: (noise.append(("dialog", dialog.message)), dialog.dismiss()))
        page.on("popup", lambda popup: noise.append(("popup", popup.url)))
        page.on(
            "request", lambda request: request.url.split("#")[0] == address or noise.append(("request", request.url))
        )
        page.goto(f"{address}#{fragment}")
        return page

    yield open_
    for context in contexts:
        executed = [page.evaluate("window.executed") for page in context.pages]
        assert executed == [None] * len(executed)
        context.close()
    assert noise == []
