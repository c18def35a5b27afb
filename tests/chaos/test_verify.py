# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts of the fleet's program on random recordings of the emulator, against a model of what was recorded.

The model knows only the pushes and the commands, and what a recording does with them; never a list of the API.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

pytest.importorskip("ansible")

from ansible_collections.apsaravideo.live.plugins.module_utils._api.access_key import AccessKey
from ansible_collections.apsaravideo.live.plugins.module_utils._api.live import Live
from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import Stream, parse_time
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import LiveError
from ansible_collections.apsaravideo.live.plugins.module_utils._util.clock import Clock
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.file_checks import FileChecker
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.steps import ReadShared
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.verify_program import VerifyPolicy, verify_stream
from support.client import make_client, make_credentials
from support.emulator import KEY, Emulator

STREAMS, TICKS = 120, 60
TICK_SECONDS = (30, 45, 90, 150)  # all longer than the tolerance by more than the seconds that a tick takes
TOLERANCE = 10.0
DELAY = 60
PREFIX = "record/{AppName}/{StreamName}/{Sequence}_{StartTime}_{EndTime}"
SLICES = "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}"
M3U8 = {"Format": "m3u8", "CycleDuration": 900, "OssObjectPrefix": PREFIX, "SliceOssObjectPrefix": SLICES}
MP4 = {"Format": "mp4", "CycleDuration": 600, "OssObjectPrefix": PREFIX}
# By application: how its streams are recorded, and in which formats
APPS = {"auto": (0, [M3U8]), "auto_both": (0, [M3U8, MP4]), "manual": (7, [M3U8]), "manual_mp4": (7, [MP4])}
# By domain: the callbacks of its recordings
DOMAINS = {"all.example.com": True, "files.example.com": False, "none.example.com": None}


def make_scenario() -> dict[str, Any]:
    return {
        "accounts": [
            {
                "id": "1000000000000001",
                "access_keys": [{"id": KEY[0], "secret": KEY[1]}],
                "domains": [
                    {"name": name, "ingest": [f"push.{name}"], "status_url": "http://callback.example.com/push"}
                    for name in DOMAINS
                ],
                "record_configs": [
                    {
                        "DomainName": domain,
                        "AppName": app,
                        "StreamName": "*",
                        "OnDemand": mode,
                        "DelayTime": DELAY,
                        "OssBucket": "recordings",
                        "OssEndpoint": "oss-cn-shanghai.aliyuncs.com",
                        "RecordFormat": formats,
                    }
                    for domain in DOMAINS
                    for app, (mode, formats) in APPS.items()
                ],
                "notify_configs": [
                    {"DomainName": name, "NotifyUrl": "http://callback.example.com/", "NeedStatusNotify": status}
                    for name, status in DOMAINS.items()
                    if status is not None
                ],
            }
        ],
        "streams": [],
    }


# --- the model -------------------------------------------------------------------------------------------------------


@dataclass
class Story:
    """What happened to a stream: `pushed` and `recorded` are lists of [begin, end], whose last end may be None."""

    stream: Stream
    window: tuple[int, int] = (0, 0)  # ticks
    pushed: list[list[float | None]] = field(default_factory=list)
    recorded: list[list[float | None]] = field(default_factory=list)
    # By format: its files that cannot be used
    lost: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def lose(self, kind: str, begin: float, end: float) -> None:
        self.lost.setdefault(kind, []).append((begin, end))

    @property
    def is_automatic(self) -> bool:
        return self.stream.app_name.startswith("auto")

    @property
    def is_online(self) -> bool:
        return bool(self.pushed) and self.pushed[-1][1] is None

    @property
    def is_recording(self) -> bool:
        return bool(self.recorded) and self.recorded[-1][1] is None

    def push(self, now: float) -> None:
        self.pushed.append([now, None])
        if self.is_automatic:
            self.recorded.append([now, None])

    def drop(self, now: float) -> None:
        self.pushed[-1][1] = now
        self.stop(now)

    def start(self, now: float) -> None:
        self.recorded.append([now, None])

    def stop(self, now: float) -> None:
        if self.is_recording:
            self.recorded[-1][1] = now

    def seconds(self, spans: Iterable[Iterable[float | None]], now: float) -> set[int]:
        return {
            second for begin, end in spans for second in range(round(begin or 0), round(now if end is None else end))
        }


def find_runs(seconds: Iterable[int]) -> list[list[int]]:
    found: list[list[int]] = []
    for second in sorted(seconds):
        if found and found[-1][-1] == second - 1:
            found[-1].append(second)
        else:
            found.append([second])
    return found


def tell_truth(story: Story, begin: float, end: float, now: float) -> str:
    """Return the verdict on the whole truth, second by second."""
    window = set(range(round(begin), round(end)))
    pushed = story.seconds(story.pushed, now)
    kinds = [item["Format"] for item in APPS[story.stream.app_name][1]]
    lost = set.intersection(*(story.seconds(story.lost.get(kind, ()), now) for kind in kinds))
    held = (story.seconds(story.recorded, now) - lost) & window
    # What is shorter than the time that a tick takes is an effect of when the emulator's clock was read.
    if len(held) <= TOLERANCE:
        return "nothing_recorded"
    causes = set()
    for run in find_runs(window - held):
        if len(run) > TOLERANCE:
            causes.add("push" if set(run) - pushed else "")
            causes |= {"recording"} if any(len(part) > TOLERANCE for part in find_runs(set(run) & pushed)) else set()
    if "recording" in causes:
        return "incomplete"
    return "interrupted" if "push" in causes else "complete"


# --- the story of all streams ----------------------------------------------------------------------------------------


class Show:
    """Many streams to which something happens at each tick of the emulator's clock."""

    def __init__(self, cloud: Emulator, seed: int) -> None:
        self.random = random.Random(seed)
        self.cloud = cloud
        self.advanced = 0.0
        self.live = Live(
            make_client(
                cloud.endpoint, Clock(), credentials=make_credentials(AccessKey(*KEY, None, "test")), read_timeout=30
            )
        )
        self.ticks = [self.now()]
        places = [(domain, app) for domain in DOMAINS for app in APPS]
        self.stories = []
        for number in range(STREAMS):
            domain, app = places[number % len(places)]
            begin = self.random.randrange(TICKS - 12)
            window = (begin, begin + self.random.randrange(1, 12))
            self.stories.append(Story(Stream(domain, app, f"stream{number}"), window))

    def now(self) -> float:
        """Return the time in a clock that never jumps back."""
        return time.time() + self.advanced

    def run(self, ticks: int) -> None:
        for _tick in range(ticks):
            self._act([story for story in self.stories if self.random.random() < 0.12])
            seconds = self.random.choice(TICK_SECONDS)
            self.cloud.advance(seconds)
            self.advanced += seconds
            self.ticks.append(self.now())

    def _act(self, stories: list[Story]) -> None:
        off = [story for story in stories if not story.is_online]
        on = [story for story in stories if story.is_online]
        drops = [story for story in on if story.is_automatic or self.random.random() < 0.3]
        self._switch(off, self.cloud.push, Story.push)
        self._switch(drops, self.cloud.drop, Story.drop)
        for story in on:
            if story not in drops:
                self._command(story)

    def _switch(self, stories: list[Story], control: Any, change: Any) -> None:
        if stories:
            control(*(tuple(story.stream) for story in stories))
            now = self.now()
            for story in stories:
                change(story, now)

    def _command(self, story: Story) -> None:
        command = "start" if not story.is_recording else self.random.choice(["stop", "restart", "restart"])
        self.live.record_command(story.stream, command)
        if command == "start":
            story.start(self.now())
        elif command == "stop":
            story.stop(self.now())

    def lose_files(self) -> None:
        """Let some files be missing, damaged or empty, and others never be made, which only the log says."""
        marks, events = [], []
        by_name = {tuple(story.stream): story for story in self.stories}
        for row in self.cloud.state()["streams"]:
            story = by_name[row["domain_name"], row["app_name"], row["stream_name"]]
            for file in row["files"]:
                if self.random.random() < 0.25:
                    begin, end = (parse_time(file[edge]).timestamp() for edge in ("started", "stopped"))
                    story.lose(file["format"], begin + self.advanced, end + self.advanced)
                    has_log = DOMAINS[story.stream.domain_name] is not None
                    if has_log and self.random.random() < 0.3:
                        events.append(self._make_error(story, file, int(begin), int(end)))
                    else:
                        state = self.random.choice(["missing", "damaged", "empty"])
                        marks.append({"record_id": file["record_id"], "state": state})
        self.cloud.control("POST", "files", {"files": marks})
        self.cloud.add_events(*events)

    def _make_error(self, story: Story, file: dict[str, Any], begin: int, end: int) -> dict[str, Any]:
        info = {"uri": file["url"], "start_time": begin, "stop_time": end}
        names = dict(zip(("domain_name", "app_name", "stream_name"), story.stream))
        extra = {"file_info": info, "error_info": {"code": "PermissionDenied.ResourceAccess", "message": "denied"}}
        return {**names, "notify_type": "transformat_error", "content": extra}

    def verify(self, story: Story, **settings: Any) -> dict[str, Any]:
        """Return what the program of the fleet says of a stream in its window."""
        begin, end = (self.ticks[tick] - self.advanced for tick in story.window)
        policy = VerifyPolicy(Clock(), TOLERANCE, accept_unknown=True, **settings)
        return carry_out(verify_stream(story.stream, ((begin, end),), policy, []), self.live, story.stream)

    def describe(self, story: Story, found: dict[str, Any]) -> str:
        zero = self.ticks[story.window[0]]
        spans = [
            [[round(at - zero) if at else at for at in span] for span in part]
            for part in (
                story.pushed,
                story.recorded,
                *story.lost.values(),
                [[self.ticks[tick] for tick in story.window]],
            )
        ]
        shown = {name: found[name] for name in ("verdict", "reason", "gaps", "files", "verified_by")}
        return f"{story.stream}: {self.judge(story)}, not {shown}: pushed, recorded, lost..., window: {spans}"

    def judge(self, story: Story, end: float | None = None) -> str:
        begin, stop = (self.ticks[tick] for tick in story.window)
        return tell_truth(story, begin, stop if end is None else end, self.now())


def carry_out(program: Any, live: Live, stream: Stream) -> dict[str, Any]:
    """Carry out the steps of a program one after another, and return its result."""
    result = error = None
    while True:
        try:
            step = program.throw(error) if error else program.send(result)
        except StopIteration as end:
            found: dict[str, Any] = end.value
            return found
        result = error = None
        try:
            result = step.read(live) if isinstance(step, ReadShared) else step.perform(live, stream)
        except LiveError as failure:
            error = failure


@pytest.fixture(scope="module")
def cloud():
    actions = ("RealTimeRecordCommand", "DescribeLiveStreamRecordIndexFiles", "DescribeLiveStreamsPublishList")
    reads = ("DescribeLiveRecordNotifyRecords", "DescribeLiveRecordConfig", "DescribeLiveRecordNotifyConfig")
    limits = dict.fromkeys(
        (*actions, *reads, "DescribeLiveStreamsNotifyRecords", "DescribeLiveStreamsOnlineList"), 10**6
    )
    with Emulator(scenario=make_scenario(), limit=limits, files="served", callback_uri="url") as emulator:
        yield emulator
        assert emulator.error_output() == ""


@pytest.mark.parametrize(
    ("seed", "answers"),
    [
        (1, {}),
        (2, {"index_window": "recorded", "start_in_delay": "new", "stop_delay": "config", "notify_order": "desc"}),
    ],
)
def test_verdicts_on_random_recordings_are_true(cloud, seed, answers):
    cloud.reset()
    cloud.behave(**answers)
    show = Show(cloud, seed)
    wrong, doubtful, verdicts = [], 0, Counter()
    show.run(TICKS)
    for story in show.stories:
        found = show.verify(story)
        begin, end = (show.ticks[tick] for tick in story.window)
        if found["verdict"] not in ("unknown", tell_truth(story, begin, end, show.now())):
            wrong.append(show.describe(story, found))
    cloud.advance(3 * 3600)
    show.advanced += 3 * 3600
    show.lose_files()
    checker = FileChecker(
        {"allow_private_addresses": False, "ffprobe": False, "ffprobe_path": "", "tolerance": 0}, Clock()
    )
    for story in show.stories:
        ingest = f"push.{story.stream.domain_name}" if show.random.random() < 0.5 else None
        found = show.verify(story, ingest_domain=ingest, check=checker.check)
        doubtful += found["verdict"] == "unknown" and story.stream.domain_name == "all.example.com"
        verdicts[found["verdict"]] += 1
        if found["verdict"] not in ("unknown", show.judge(story)):
            wrong.append(show.describe(story, found))
    assert not wrong, "\n".join(wrong)
    assert doubtful == 0
    assert len(verdicts) == 5 and min(verdicts.values()) >= 10, verdicts
