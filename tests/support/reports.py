# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents of reports as runs would write them, of any size, the same for the same arguments."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from ansible_collections.apsaravideo.live.plugins.plugin_utils._report import entries
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.merge import restore_entries

BEGAN = datetime(2027, 1, 2, 20, 0, tzinfo=timezone.utc).timestamp()
DOMAINS = ("live.example.com", "push.example.net")
APPS = ("news", "sport", "studio", "city")
CAUSES = (
    (
        "StreamNotFound",
        "start was refused: the stream is not being pushed",
        "Check domain_name, app_name and stream_name, begin the push, or set wait_for_stream; a triggered pull needs a "
        "viewer, because it runs only while somebody watches.",
    ),
    (
        "CodeConfigNotFound",
        "start was refused: no recording configuration is in effect for the stream",
        "Create one with apsaravideo.live.apsaravideo_record_config or in the console, unless there is one, and push "
        "the stream again: a configuration takes effect at the next push.",
    ),
    (None, "the response did not come within 10 seconds", "Check the network, and run the playbook again."),
)
INCOMPLETE = (
    "Incomplete",
    "files are missing for a part of the window in which the stream was pushed",
    "Look at the gaps, and keep the sender's own recording.",
)
# A global variable would show that one of them was executed.
HOSTILE = (
    "<script>alert(1)</script>",
    '<img src=x onerror="window.executed=1">',
    "{{ 7*7 }}",
    "${window.executed=1}",
    "</script><script>window.executed=1</script>",
    "<!--",
    "<!--<script>",
    "\"'`><svg onload=window.executed=1>",
    "@@data@@ @@script@@",
    "\u202egnp.exe",
    "emoji \U0001f3ac \u4e2d\u6587 \u0639\u0631\u0628\u064a",
    "x" * 3000,
    "control\x00\x07\x1b[31m\x7f",
    "line\u2028separator\u2029\r\nnewline",
    "lone \ud800 surrogate",
    "__proto__",
    "javascript:window.executed=1",
    "a&amp;b=c#d?e%00%2F",
)


def format_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def make_document(*runs: dict[str, Any]) -> dict[str, Any]:
    outcomes = [run["outcome"] for run in runs]
    return {
        "version": 1,
        "generator": "apsaravideo.live 0.1.0",
        "written_at": format_time(BEGAN + 3600 * 3),
        "outcome": max(outcomes, key=("complete", "ended_early", "interrupted").index),
        "counts": {name: sum(run["counts"][name] for run in runs) for name in runs[0]["counts"]},
        "runs": list(runs),
    }


def make_run(
    title: str, rows: Sequence[dict[str, Any]], *, began: float = BEGAN, rate: float = 48.0, **fields: Any
) -> dict[str, Any]:
    """Return a run of these rows; the calls are spread over its time at `rate`."""
    calls = sum(row.get("api_calls", 0) for row in rows)
    statuses = Counter(row["status"] for row in rows)
    by_second = Counter(int(began + number / rate) for number in range(calls))
    seconds = calls / rate
    counts = {"streams": len(rows), **{name: statuses[name] for name in ("ok", "failed", "not_tried")}}
    counts["changed"] = sum(row["changed"] for row in rows)
    return {
        "title": title,
        "check_mode": False,
        "outcome": "complete",
        "began": format_time(began),
        "ended": format_time(began + seconds + 0.2),
        "seconds": round(seconds + 0.2, 3),
        "counts": counts,
        "states": dict(Counter(row["state"] for row in rows if row["status"] == "ok" and "state" in row)),
        "calls": {
            "total": calls,
            "throttled": sum(row.get("throttled", 0) for row in rows),
            "by_operation": {"RealTimeRecordCommand": calls} if calls else {},
        },
        "rate": {
            "operation": "RealTimeRecordCommand",
            "quota": 50,
            "limit": 48,
            "first_call": format_time(began) if calls else None,
            "last_call": format_time(began + seconds) if calls else None,
            "calls_per_second": round((calls - 1) / seconds, 2) if calls > 1 else None,
            "by_second": [list(pair) for pair in sorted(by_second.items())],
        },
        "failures": group_failures(rows),
        "warnings": [],
        "cloud_count": None,
        "streams": list(rows),
        **fields,
    }


def group_failures(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    found = entries.group_failures(restore_entries({"streams": rows}))
    return [
        {"cause": group.cause, "advice": group.advice, "code": group.code, "streams": group.names} for group in found
    ]


def make_names(count: int) -> list[dict[str, str]]:
    return [
        {
            "host": f"stream{number:05}",
            "domain_name": DOMAINS[number % 7 == 0],
            "app_name": APPS[number % len(APPS)],
            "stream_name": f"stream{number:05}",
        }
        for number in range(1, count + 1)
    ]


def start_rows(count: int, *, failed: int = 0, not_tried: int = 0, throttled: int = 0, seed: int = 1) -> list[Any]:
    """Return the rows of a start, of which some have failed for the causes above, most for the first one."""
    chance = random.Random(seed)
    kinds = ["failed"] * failed + ["ok"] * (count - failed - not_tried)
    chance.shuffle(kinds)
    kinds += ["not_tried"] * not_tried
    return [
        _start_row(names, kind, number, chance, number < throttled)
        for number, (names, kind) in enumerate(zip(make_names(count), kinds))
    ]


def _start_row(names: dict[str, str], kind: str, number: int, chance: random.Random, throttled: bool) -> dict[str, Any]:
    row: dict[str, Any] = {**names, "status": kind, "changed": False}
    if kind == "not_tried":
        return row
    row |= {
        "commands": ["start"],
        "sent_at": format_time(BEGAN + number / 48),
        "seconds": round(chance.uniform(0.02, 0.4), 3),
        "api_calls": 2 if throttled else 1,
        "throttled": int(throttled),
        "waited_seconds": 0,
    }
    if kind == "ok":
        return {**row, "state": "recording", "previous_state": "idle", "state_source": "response", "changed": True}
    code, message, advice = chance.choices(CAUSES, weights=(6, 3, 1))[0]
    row |= {"message": f"{message} of {'/'.join(names.values())}", "advice": advice}
    identity = f"{chance.getrandbits(128):032X}"
    request = "-".join((identity[:8], identity[8:12], identity[12:16], identity[16:20], identity[20:]))
    return {**row, "code": code, "request_id": request} if code else row


def verify_rows(count: int, *, bad: float = 0.03, parts: int = 4, hours: float = 2.0, seed: int = 1) -> list[Any]:
    """Return the rows of a verification of one window, with `parts` files for each stream."""
    chance = random.Random(seed)
    return [_verify_row(names, parts, hours * 3600, chance, chance.random() < bad) for names in make_names(count)]


def _verify_row(names: dict[str, str], parts: int, length: float, chance: random.Random, bad: bool) -> dict[str, Any]:
    start, stop = BEGAN, BEGAN + length
    kind = chance.choice(["incomplete", "nothing_recorded", "unknown", "damaged"]) if bad else "complete"
    if not bad and chance.random() < 0.05:
        kind = "interrupted"
    bounds = [start + length * part / parts for part in range(parts + 1)]
    spans = [] if kind == "nothing_recorded" else list(zip(bounds, bounds[1:]))
    gaps: list[tuple[float, float, str]] = []
    if kind in ("interrupted", "incomplete"):
        at = chance.uniform(0.1, 0.8) * length + start
        lost = chance.uniform(20, length / 8)
        spans = [part for low, high in spans for part in _cut(low, high, at, at + lost)]
        gaps.append((at, at + lost, "push" if kind == "interrupted" else "recording"))
    elif kind == "nothing_recorded":
        gaps.append((start, stop, chance.choice(["recording", "unknown"])))
    files = [_file(names, low, high, chance) for low, high in spans]
    if kind == "damaged":
        files[1] |= {"status": chance.choice(["damaged", "missing", "error"]), "note": "no readable beginning"}
    verdict = "incomplete" if kind == "damaged" else kind
    row = {
        **names,
        "status": "failed" if bad else "ok",
        "changed": False,
        "verdict": verdict,
        "state": verdict,
        "reason": f"{sum(high - low for low, high in spans) / 60:.0f} of {length / 60:.0f} minutes are recorded",
        "verified_by": ["index_files", "notify_log", "publish_list"],
        "sent_at": format_time(BEGAN + 86400),
        "windows": [[format_time(start), format_time(stop)]],
        "expected_seconds": length,
        "recorded_seconds": round(sum(high - low for low, high in spans), 3),
        "files": files,
        "gaps": [{"start": format_time(low), "stop": format_time(high), "cause": cause} for low, high, cause in gaps],
        "seconds": round(chance.uniform(0.05, 0.3), 3),
        "api_calls": 2,
        "throttled": 0,
    }
    if bad:
        code, message, advice = INCOMPLETE
        row |= {"code": code, "message": message, "advice": advice}
    return row


def _unknown_rows(count: int) -> list[Any]:
    """Return the rows of a verification whose verdicts are unknown, and accepted."""
    unknown = {"verdict": "unknown", "state": "unknown", "reason": "Forbidden.RAM: not authorized", "gaps": []}
    return [{**row, **unknown, "files": []} for row in verify_rows(count, bad=0)]


def _cut(low: float, high: float, start: float, stop: float) -> list[tuple[float, float]]:
    """Return what is left of a span without another one."""
    return [span for span in ((low, min(high, start)), (max(low, stop), high)) if span[0] < span[1]]


def _file(names: dict[str, str], start: float, stop: float, chance: random.Random) -> dict[str, Any]:
    stamps = "_".join(format_time(moment)[:19].replace("T", "-").replace(":", "-") for moment in (start, stop))
    path = f"record/{names['app_name']}/{names['stream_name']}/{stamps}.mp4"
    return {
        "start": format_time(start),
        "stop": format_time(stop),
        "duration": round(stop - start, 3),
        "format": "mp4",
        "url": f"https://recordings.oss-cn-shanghai.aliyuncs.com/{path}",
        "object": path,
        "status": "ok",
        "size": int((stop - start) * chance.uniform(240_000, 260_000)),
    }


def hostile_document() -> dict[str, Any]:
    """Return a run in which every text that can come from others is hostile."""
    rows = []
    for number, text in enumerate(HOSTILE):
        rows.append(
            {
                "host": text,
                "domain_name": text,
                "app_name": text,
                "stream_name": text,
                "status": "failed" if number % 2 else "ok",
                "changed": bool(number % 3),
                "state": text,
                "message": text,
                "advice": text,
                "code": text,
                "request_id": text,
                "sent_at": format_time(BEGAN + number),
                "api_calls": 1,
                "windows": [[format_time(BEGAN), format_time(BEGAN + 60)]],
                "files": [{"start": format_time(BEGAN), "url": text, "object": text, "note": text, "format": text}],
                "gaps": [{"start": format_time(BEGAN), "stop": text, "cause": text}],
                "verdict": text,
            }
        )
    domains = {
        text: {"counted": 1, "at": format_time(BEGAN), "believed": 2, "peak": 3, "peak_at": text} for text in HOSTILE
    }
    run = make_run(HOSTILE[0], rows, warnings=list(HOSTILE), cloud_count={"domains": domains})
    run["calls"]["by_operation"] = {HOSTILE[0]: 1}
    run["rate"]["operation"] = HOSTILE[1]
    return make_document(run, make_run(HOSTILE[4], rows))


def sample(name: str) -> dict[str, Any]:
    """Return a document by name, for tests and for a look at the page."""
    return SAMPLES[name]()


def _several() -> dict[str, Any]:
    count = {"counted": 297, "at": format_time(BEGAN + 60), "believed": 300, "peak": 310, "peak_at": format_time(BEGAN)}
    return make_document(
        make_run("start", start_rows(300, failed=4)),
        make_run("status", start_rows(300), began=BEGAN + 600, cloud_count={"domains": {DOMAINS[0]: count}}),
        make_run("verify", verify_rows(300), began=BEGAN + 8000, rate=15),
    )


SAMPLES = {
    "one": lambda: make_document(make_run("start", start_rows(1))),
    "start": lambda: make_document(make_run("start", start_rows(300, failed=13, throttled=5))),
    "good": lambda: make_document(make_run("start", start_rows(50))),
    "large": lambda: make_document(make_run("start", start_rows(10_000, failed=170))),
    "verify": lambda: make_document(make_run("verify", verify_rows(300), rate=15)),
    "unknown": lambda: make_document(make_run("verify", _unknown_rows(4))),
    "cause": lambda: make_document(make_run("start", start_rows(300, failed=1))),
    "large_verify": lambda: make_document(make_run("verify", verify_rows(10_000), rate=15)),
    "interrupted": lambda: make_document(
        make_run(
            "start",
            start_rows(300, failed=2, not_tried=120),
            outcome="interrupted",
            warnings=["Interrupted by a signal."],
        )
    ),
    "check": lambda: make_document(make_run("start", start_rows(300), check_mode=True)),
    "several": _several,
    "hostile": hostile_document,
    "empty": lambda: make_document(make_run("start", [])),
}
