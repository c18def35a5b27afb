# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the rulebook keep_recording with a real ansible-rulebook: measure.py [drop] [crowd] [stall] [kill] [soak].

Prints one line of JSON for each measurement. `soak` takes SOAK_SECONDS, by default 600.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.emulator import Emulator
from support.playbook import streams
from support.receiver import Engine, Source
from support.rulebook import Rulebook, free_port, scenario, wait_until

DOMAIN = "live.example.com"
PUBLISH_DELAY = 2.0  # seconds from a push to its callback, in the cloud as in the emulator


def drop(directory: Path, times: int = 11) -> dict[str, Any]:
    """One stream is dropped and pushed again, several times."""
    port, stream = free_port(), f"{DOMAIN}/app/one"
    with Emulator(scenario=scenario(port), notify_result="deliver") as cloud:
        rulebook = Rulebook(directory, cloud, port, events_spool=str(directory / "spool"))
        rulebook.inventory(streams([stream]))
        seconds = []
        with rulebook:
            for _number in range(times):
                cloud.push(stream)
                began = time.monotonic()
                wait_until(lambda: cloud.stream(stream)["recording"] == "recording", 30, "recorded")
                seconds.append(time.monotonic() - began)
                time.sleep(1)
                cloud.drop(stream)
                time.sleep(1)
    return {
        "median_from_push": round(statistics.median(seconds), 2),
        "max_from_push": round(max(seconds), 2),
        "median_from_callback": round(statistics.median(seconds) - PUBLISH_DELAY, 2),
        "times": times,
    }


def crowd(directory: Path, count: int = 500) -> dict[str, Any]:
    """All streams are dropped and pushed again at once; others are not wanted."""
    port = free_port()
    wanted = [f"{DOMAIN}/app/s{number}" for number in range(count)]
    strangers = [f"{DOMAIN}/app/stranger{number}" for number in range(20)]
    with Emulator(scenario=scenario(port), notify_result="deliver") as cloud:
        rulebook = Rulebook(directory, cloud, port, events_spool=str(directory / "spool"))
        rulebook.inventory(streams(wanted))
        with rulebook:
            began = time.time()
            cloud.push(*wanted, *strangers)
            wait_until(lambda: rulebook.health()["received"] >= len(wanted) + len(strangers), 60, "all callbacks")
            received = time.time()
            wait_until(lambda: rulebook.health()["forwarded"], 60, "a batch")
            forwarded = time.time()
            wait_until(lambda: len(_recorded(cloud)) >= count, 60, "all are recorded")
            time.sleep(3)
            calls = cloud.calls("RealTimeRecordCommand")
            times = sorted(_epoch(row["time"]) for row in calls)
            return {
                "streams": count,
                "first_from_callbacks": round(times[0] - began - PUBLISH_DELAY, 2),
                "last_from_callbacks": round(times[-1] - began - PUBLISH_DELAY, 2),
                "first_from_push": round(times[0] - began, 2),
                "last_from_push": round(times[-1] - began, 2),
                "callbacks_received": round(received - began, 2),
                "first_batch": round(forwarded - began, 2),
                "playbooks": rulebook.runs(),
                "calls": len(calls),
                "throttled": sum(bool(row["throttled"]) for row in calls),
                "strangers_recorded": sum("stranger" in name for name in _recorded(cloud)),
                "health": rulebook.health(),
            }


def stall(_directory: Path, count: int = 500, seconds: float = 60.0) -> dict[str, Any]:
    """The engine's thread does nothing for a minute, while callbacks come."""

    async def busy(_event: Any) -> None:
        if len(engine.events) == 1:
            time.sleep(seconds)

    engine = Engine(busy)
    with Source(engine) as source:
        source.push("first")
        wait_until(lambda: engine.events, 5, "stalled")

        def push(number: int) -> float:
            began = time.monotonic()
            assert source.push(str(number))[0] == 200
            return time.monotonic() - began

        with ThreadPoolExecutor(8) as pool:
            answered = list(pool.map(push, range(count)))
        wait_until(lambda: engine.count() == count + 1, seconds + 30, "all events")
    return {
        "callbacks": count,
        "stalled_seconds": seconds,
        "median_ms": round(1000 * statistics.median(answered), 1),
        "max_ms": round(1000 * max(answered), 1),
        "lost": count + 1 - engine.count(),
    }


def kill(directory: Path, count: int = 500) -> dict[str, Any]:
    """ansible-rulebook is killed while its playbook starts the streams, and started again."""
    port = free_port()
    wanted = [f"{DOMAIN}/app/s{number}" for number in range(count)]
    with Emulator(scenario=scenario(port), notify_result="deliver") as cloud:
        rulebook = Rulebook(directory, cloud, port, events_spool=str(directory / "spool"))
        rulebook.inventory(streams(wanted))
        with rulebook:
            cloud.push(*wanted)
            before = wait_until(lambda: len(_recorded(cloud)) >= count // 5 and len(_recorded(cloud)), 60, "some")
            rulebook.kill()
            time.sleep(1)
            began = time.monotonic()
            rulebook.start()
            wait_until(lambda: len(_recorded(cloud)) >= count, 60, "all are recorded")
            return {
                "streams": count,
                "recorded_at_the_kill": before,
                "recorded_in_the_end": len(_recorded(cloud)),
                "seconds_from_the_restart": round(time.monotonic() - began, 1),
            }


def soak(directory: Path) -> dict[str, Any]:
    """Pushes begin and end for minutes; the memory of the engine with the source is compared."""
    seconds = float(os.environ.get("SOAK_SECONDS", "600"))
    port = free_port()
    wanted = [f"{DOMAIN}/app/s{number}" for number in range(50)]
    with Emulator(scenario=scenario(port), notify_result="deliver") as cloud:
        rulebook = Rulebook(directory, cloud, port, events_spool=str(directory / "spool"))
        rulebook.inventory(streams(wanted))
        memory: list[float] = []
        with rulebook:
            deadline, number = time.monotonic() + seconds, 0
            while time.monotonic() < deadline:
                some = [wanted[(number + offset) % len(wanted)] for offset in range(10)]
                cloud.push(*some)
                time.sleep(5)
                cloud.drop(*some)
                time.sleep(3)
                number += 10
                memory.append(_resident(rulebook.pid()))
            health = rulebook.health()
            runs = rulebook.runs()
    quarter = max(1, len(memory) // 4)
    return {
        "seconds": seconds,
        "playbooks": runs,
        "received": health["received"],
        "mib_second_quarter": round(statistics.median(memory[quarter : 2 * quarter] or memory), 1),
        "mib_last_quarter": round(statistics.median(memory[-quarter:]), 1),
        "mib_max": round(max(memory), 1),
        "mib_by_tenth": [round(memory[len(memory) * part // 10], 1) for part in range(10)],
        "spool_bytes": sum(path.stat().st_size for path in directory.glob("spool*")),
    }


def soak_source(directory: Path) -> dict[str, Any]:
    """The source alone receives many callbacks, good and bad ones, for minutes."""
    seconds = float(os.environ.get("SOAK_SECONDS", "600"))

    class Counting(Engine):
        """An engine that keeps no event."""

        forwarded = 0

        async def put(self, event: dict[str, Any]) -> None:
            self.forwarded += sum(event["counts"].values())
            await asyncio.sleep(0)

    engine = Counting()
    memory: list[float] = []
    with Source(engine, spool=str(directory / "source"), max_rate=100_000) as source:
        deadline, number, next_look = time.monotonic() + seconds, 0, 0.0
        while time.monotonic() < deadline:
            source.push(f"s{number % 20_000}", "publish" if number // 20_000 % 2 else "publish_done")
            source.push("forged", key="anotherKey0123456789")
            number += 1
            if time.monotonic() > next_look:
                memory.append(_resident(os.getpid()))
                next_look = time.monotonic() + 2
            time.sleep(0.002)
        health = source.health()
    quarter = max(1, len(memory) // 4)
    return {
        "seconds": seconds,
        "received": health["received"],
        "forwarded": engine.forwarded,
        "refused": health["refused"],
        "mib_second_quarter": round(statistics.median(memory[quarter : 2 * quarter] or memory), 1),
        "mib_last_quarter": round(statistics.median(memory[-quarter:]), 1),
    }


def _recorded(cloud: Emulator) -> list[str]:
    return [row["stream_name"] for row in cloud.state()["streams"] if row["recording"] == "recording"]


def _epoch(value: Any) -> float:
    from datetime import datetime

    return float(value) if isinstance(value, (int, float)) else datetime.fromisoformat(value).timestamp()


def _resident(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def main(names: list[str]) -> None:
    """Run the measurements of these names."""
    known = {"drop": drop, "crowd": crowd, "stall": stall, "kill": kill, "soak": soak, "soak_source": soak_source}
    for name in names or ["drop", "crowd", "stall", "kill"]:
        with tempfile.TemporaryDirectory(prefix="events-") as directory:
            print(json.dumps({"measurement": name, **known[name](Path(directory))}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
