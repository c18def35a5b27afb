# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a web page: one file that needs no other, and that runs nothing but its own script."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .page_data import pack

# Ansible's loader takes a directory beside page.py for the module if it is called `page`, so it is not.
ASSETS = Path(__file__).parent / "assets"
SCRIPTS = (
    "text.js",
    "data.js",
    "address.js",
    "selection.js",
    "overview.js",
    "failures.js",
    "chart.js",
    "timeline.js",
    "table.js",
    "detail.js",
    "main.js",
)
_PLACE = re.compile(r"@@([a-z]+)@@")
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Ccircle cx='8' cy='8' r='7' fill='%23{}'/%3E%3C/svg%3E"
)
_GREEN, _RED = "1a7f37", "cf222e"


def make_page(document: Mapping[str, Any]) -> str:
    """Return the page of a report."""
    style = _read("style.css")
    script = "\n".join(_read(name) for name in SCRIPTS)
    counts = document["counts"]
    is_good = document["outcome"] == "complete" and counts["ok"] == counts["streams"]
    parts = {
        "policy": _make_policy(style, script),
        "generator": _escape(str(document["generator"])),
        "title": _escape(_describe_runs(document)),
        "icon": html.escape(_ICON.format(_GREEN if is_good else _RED)),
        "plain": html.escape(_describe_counts(document)),
        "style": style,
        "data": _encode(pack(document)),
        "script": script,
    }
    # One pass over the template: what is put in is not searched for places again.
    return _PLACE.sub(lambda match: parts[match[1]], _read("template.html"))


def _read(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _make_policy(style: str, script: str) -> str:
    """Return a policy that allows this style and this script, no request, and no text that becomes markup."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _escape(text: str) -> str:
    """Return a text without markup as ASCII, because UTF-8 has no form for half a character."""
    return html.escape(text).encode("ascii", "xmlcharrefreplace").decode()


def _encode(data: Any) -> str:
    """Return JSON that ends no script element and that is ASCII, lone surrogates included."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _describe_runs(document: Mapping[str, Any]) -> str:
    titles = dict.fromkeys(str(run["title"]) for run in document["runs"])
    return f"{', '.join(titles) or 'no run'} - apsaravideo.live"


def _describe_counts(document: Mapping[str, Any]) -> str:
    """Return the sentence that a browser without scripts shows."""
    counts = document["counts"]
    ended = "" if document["outcome"] == "complete" else f" The run: {document['outcome'].replace('_', ' ')}."
    return (
        f"{counts['streams']} streams: {counts['ok']} ok, {counts['failed']} failed, "
        f"{counts['not_tried']} not tried, {counts['changed']} changed.{ended}"
    )
