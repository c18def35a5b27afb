# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook window, with windows of a few seconds in real time."""

from __future__ import annotations

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from support.playbook import streams

PLAYBOOK = "apsaravideo.live.window"
SHANGHAI = timezone(timedelta(hours=8))
PACE = []


def name(stream):
    return f"live.example.com/app/{stream}"


def format_moment(seconds):
    """Return a time in ISO 8601, in another zone than that of the machine."""
    return datetime.fromtimestamp(seconds, SHANGHAI).isoformat()


def window(start, stop):
    return {"start": format_moment(start), "stop": format_moment(stop)}


def inventory(ansible, windows):
    """Return the path of an inventory with hosts for streams and their windows."""
    hosts = streams([name(stream) for stream in windows])
    for stream, variables in windows.items():
        hosts[stream].update(variables if isinstance(variables, dict) else {"record_windows": variables})
    return str(ansible.inventory(hosts))


def arguments(file, *switches, **variables):
    return [PLAYBOOK, "-i", file, "-e", json.dumps(variables), *switches]


def commands(cloud, stream, command=None):
    """Return the commands for a stream in order, each with its time and the error code of its response."""
    return [
        (call["params"]["Command"], call["time"], call["code"])
        for call in cloud.calls("RealTimeRecordCommand")
        if call["params"]["StreamName"] == stream and command in (None, call["params"]["Command"])
    ]


def find_time(cloud, stream, command):
    """Return the time of the only command of this kind that succeeded."""
    (at,) = [at for _command, at, code in commands(cloud, stream, command) if code is None]
    return at


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@pytest.fixture(name="pace")
def measure_pace(cloud, ansible):
    """Return the seconds from the beginning of a run to its first call, on this machine with its current load."""
    if not PACE:
        begun = time.monotonic()
        ansible.playbook(
            *arguments(inventory(ansible, {"one": [window(time.time() - 60, time.time() + 60)]}), "--check")
        )
        PACE.append(time.monotonic() - begun)
        cloud.reset()
    return PACE[0]


def on_time(at, due, pace):
    return due <= at < due + 1 + 2 * pace


def test_windows_of_all_kinds_start_and_stop_on_time(cloud, ansible, pace):
    begin = int(time.time() + 3 + 2 * pace)
    end = begin + 7
    whole = window(begin, end)
    file = inventory(
        ansible,
        {
            # The first host of the play has no window.
            "alone": [],
            "merged": [window(begin + 1, begin + 3), window(begin + 2, begin + 4), window(begin + 4, end)],
            "open": {"window_start": begin - 3600, "window_stop": format_moment(end + 1)},
            "lasting": {"window_start": format_moment(begin), "window_duration": "7s"},
            "cut": [whole],
            "late": [whole],
            "never": [whole],
        },
    )
    cloud.push(*map(name, ["alone", "merged", "open", "lasting", "cut"]))
    with ThreadPoolExecutor() as pool:
        running = pool.submit(ansible.playbook, *arguments(file, window_retry=0.5, window_recheck=1))
        wait_until(lambda: commands(cloud, "cut", "start"))
        cloud.drop(name("cut"))
        cloud.resume(name("cut"))
        wait_until(lambda: commands(cloud, "late", "start"))
        cloud.push(name("late"))
        run = running.result()
    assert run.exit_code == 2, "the stream that never came"
    assert run.summary()[0].startswith("window: 7 streams, 5 stopped, 1 left alone, 1 failed. 5 changed.")
    assert run.failed() == set(run.fleets()[0]["failed_hosts"]) == {"never"}

    assert commands(cloud, "alone") == []
    assert find_time(cloud, "open", "start") < find_time(cloud, "lasting", "start")
    assert on_time(find_time(cloud, "open", "stop"), end + 1, pace)
    for stream, start in (("merged", begin + 1), ("lasting", begin)):
        assert on_time(find_time(cloud, stream, "start"), start, pace)
        assert on_time(find_time(cloud, stream, "stop"), end, pace)
    ledgers = {stream["stream_name"]: stream["ledger"] for stream in cloud.state()["streams"]}
    starts = {stream: ledger["starts"] + ledger["resumes"] for stream, ledger in ledgers.items()}
    assert starts == {"alone": 0, "merged": 1, "open": 1, "lasting": 1, "cut": 2, "late": 1}
    assert {stream: ledgers[stream]["pauses"] for stream in ("merged", "open", "lasting", "late")} == {
        "merged": 1,
        "open": 1,
        "lasting": 1,
        "late": 1,
    }
    assert not [stream for stream in cloud.state()["streams"] if stream["recording"] == "recording"]

    never = [(command, code) for command, _at, code in commands(cloud, "never")]
    assert never[0] == ("start", "StreamNotFound")
    assert never[-1] == ("stop", "StreamNotFound"), "its stop does no harm"
    assert len(never) > 2, "it was tried again"
    assert len(run.fleets()) == 1


def test_a_second_run_completes_the_windows_of_an_interrupted_run(cloud, ansible, pace):
    end = time.time() + 5 + 3 * pace
    windows = {stream: [window(end - 60, end)] for stream in ("one", "two", "short")}
    cloud.push(*map(name, windows))
    process = ansible.begin(*arguments(inventory(ansible, windows)))
    wait_until(lambda: len(cloud.calls()) == 3)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert ansible.end(process).exit_code != 0
    assert {stream["recording"] for stream in cloud.state()["streams"]} == {"recording"}
    assert {call["params"].get("Command") for call in cloud.calls()} == {"start"}

    cloud.clear_calls()
    windows["short"] = [window(end - 60, time.time() - 1)]  # It ended between the two runs.
    file = inventory(ansible, windows)
    run = ansible.playbook(*arguments(file))
    assert run.exit_code == 0, run.output
    for stream in ("one", "two"):
        assert [code for _command, _at, code in commands(cloud, stream, "start")] == ["TaskAlreadyStarted"]
        assert on_time(find_time(cloud, stream, "stop"), end, pace)
    assert [command for command, _at, _code in commands(cloud, "short")] == ["stop"]
    assert find_time(cloud, "short", "stop") < end, "what should have been stopped is stopped at once"
    assert [stream["ledger"]["starts"] for stream in cloud.state()["streams"]] == [1, 1, 1]
    assert [stream["ledger"]["pauses"] for stream in cloud.state()["streams"]] == [1, 1, 1]

    ledgers = [stream["ledger"] for stream in cloud.state()["streams"]]
    run = ansible.playbook(*arguments(file))
    assert run.exit_code == 0, run.output
    assert run.changed() == set()
    assert [stream["ledger"] for stream in cloud.state()["streams"]] == ledgers


def test_a_stream_that_is_not_pushed_fails_and_the_others_are_recorded(cloud, ansible, pace):
    end = time.time() + 3 + 2 * pace
    file = inventory(ansible, {stream: [window(end - 60, end)] for stream in ("absent", "one", "two")})
    cloud.push(name("one"), name("two"))
    run = ansible.playbook(*arguments(file, finalize=True))
    assert run.exit_code == 2
    assert run.failed() == {"absent"}
    for stream in ("one", "two"):
        assert on_time(find_time(cloud, stream, "stop"), end, pace)
        assert find_time(cloud, stream, "cancel_delay") > end
        assert cloud.stream(name(stream))["files"], "the file is there now"
    assert [code for _command, _at, code in commands(cloud, "absent", "start")] == ["StreamNotFound"]
    assert (ansible.directory / "window.retry").read_text(encoding="utf-8") == "absent\n"


def test_check_mode_shows_the_plan_and_predicts_the_run_without_waiting(cloud, ansible):
    now = int(time.time())
    # The windows begin in the reverse order of the inventory, which must not matter.
    ahead = {f"ahead{number:02}": [window(now + 3600 - number, now + 7200)] for number in range(8)}
    file = inventory(
        ansible, {**ahead, "open": [window(now - 60, now + 60)], "over": [window(now - 60, now - 30)], "alone": []}
    )
    cloud.push(name("open"), name("over"), *map(name, list(ahead)[1:]))
    run = ansible.playbook(*arguments(file, "--check"))
    assert run.exit_code == 0, "a stream that is not there yet is no failure: " + run.output
    assert time.time() < now + 60
    assert cloud.calls("RealTimeRecordCommand") == []
    assert len(cloud.calls("DescribeLiveStreamsOnlineList")) == 1
    found = run.entries()
    assert found["open"]["changed"] and found["open"]["state"] == "recording"
    assert found["ahead00"]["status"] == "ok"
    assert any("a real run would wait for it" in text for text in run.fleets()[0]["warnings"])
    assert run.summary()[0].startswith("window, predicted by check mode: 11 streams")
    assert not list(ansible.directory.glob("*.retry"))


def test_invalid_windows_fail_only_their_own_streams(cloud, ansible, pace):
    now = time.time()
    begin, end = format_moment(now), now + 3 + 2 * pace
    bad = {
        "zoneless": ({"window_start": begin[:19], "window_duration": "1h"}, "not a time with a zone"),
        "reverse": ({"window_start": begin, "window_stop": format_moment(now - 60)}, "not after window_start"),
        "listed": ([{"start": begin, "end": begin}], "record_windows[0]"),
        "undefined": ({"window_start": "{{ nothing }}", "window_duration": "1h"}, "nothing"),
        "hidden": ([{"start": "{{ nowhere }}", "duration": "1h"}], "nowhere"),
        "none": ({}, "No recording window is defined"),
    }
    windows = {stream: given for stream, (given, _words) in bad.items()}
    file = inventory(ansible, {**windows, "good": {"window_start": begin, "window_stop": format_moment(end)}})
    cloud.push(name("good"), *map(name, bad))
    run = ansible.playbook(*arguments(file))
    assert run.exit_code == 2
    assert run.failed() == set(bad)
    found = run.entries()
    assert {stream: words in found[stream]["msg"] for stream, (_given, words) in bad.items()} == dict.fromkeys(
        bad, True
    )
    assert {call["params"].get("StreamName") for call in cloud.calls("RealTimeRecordCommand")} == {"good"}
    assert on_time(find_time(cloud, "good", "stop"), end, pace)
    assert "Traceback" not in run.output


@pytest.mark.parametrize("given", [{"window_recheck": "often"}, {"start_at": "2027-01-01T00:00:00Z"}], ids=str)
def test_invalid_options_of_the_run_are_refused_before_any_call(cloud, ansible, given):
    now = time.time()
    cloud.push(name("good"))
    run = ansible.playbook(*arguments(inventory(ansible, {"good": [window(now - 60, now + 600)]}), **given))
    assert run.exit_code == 2
    assert next(iter(given)) in run.output
    assert cloud.calls() == []


def test_a_new_push_within_the_window_is_recorded_with_keep(cloud, ansible, pace):
    end = time.time() + 8 + 2 * pace
    windows = {stream: [window(end - 60, end)] for stream in ("cut", "whole", "late")}
    cloud.push(name("cut"), name("whole"))
    with ThreadPoolExecutor() as pool:
        running = pool.submit(ansible.playbook, *arguments(inventory(ansible, windows), keep=True, watch_interval=1))
        wait_until(lambda: commands(cloud, "cut", "start") and commands(cloud, "late", "start"))
        cloud.drop(name("cut"))
        time.sleep(1.5)
        cloud.resume(name("cut"))
        cloud.push(name("late"))
        run = running.result()
    assert run.exit_code == 0, run.output
    ledgers = {stream["stream_name"]: stream["ledger"] for stream in cloud.state()["streams"]}
    assert {stream: ledger["starts"] + ledger["resumes"] for stream, ledger in ledgers.items()} == {
        "cut": 2,
        "whole": 1,
        "late": 1,
    }
    for stream in windows:
        assert on_time(find_time(cloud, stream, "stop"), end, pace)


def test_a_fast_clock_of_the_cloud_does_not_make_a_push_new(cloud, ansible):
    cloud.advance(300)
    cloud.behave(latency=200)  # The first command is sent before a response shows the offset of the clock.
    name = "live.example.com/app/ahead"
    cloud.push(name)
    cloud.advance(5)  # Responses show only whole seconds of the cloud's clock.
    source = str(ansible.inventory(streams([name])))
    times = {"window_start": time.time(), "window_duration": "4s", "keep": True, "watch_interval": 1}
    run = ansible.playbook("apsaravideo.live.window", "-i", source, "-e", json.dumps(times))
    assert run.exit_code == 0, run.output
    assert [call["params"]["Command"] for call in cloud.calls("RealTimeRecordCommand")] == ["start", "stop"]
