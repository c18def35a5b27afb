# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the watch of a domain's notify log in virtual time."""

from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace

import pytest

pytest.importorskip("ansible")

from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import NotifyEvent, Stream
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import ApiError, LiveError, ResponseLost
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.watch import LogWatch

STREAM = Stream("live.example.com", "app", "one")
INTERVAL = 5.0
NOON = 1_767_355_200.0


def moment(seconds):
    return datetime.fromtimestamp(NOON + int(seconds), timezone.utc)


class World:
    """A scheduler, a pool whose reads take a second each, and a log with one event for each read that has begun."""

    def __init__(self, patience=0.0):
        self.time = 100.0
        self.clock = SimpleNamespace(monotonic=lambda: self.time)
        self.interval = INTERVAL
        self.pool = self
        self.begun = []  # times at which reads began
        self.error = None
        self._due = []
        self.watch = LogWatch(self, self, STREAM.domain_name, patience)

    def now(self):
        return moment(self.time)

    def notify_events(self, _scope, _window=None):
        if self.error:
            raise self.error
        return [NotifyEvent("record_started", moment(begun), STREAM) for begun in self.begun]

    def after(self, seconds, call):
        self._due.append((self.time + seconds, call))

    def submit(self, call, done):
        self.begun.append(self.time)
        try:
            found = call(), None
        except LiveError as error:
            found = None, error
        self.after(1.0, lambda: done(*found))

    def run(self, seconds):
        until = self.time + seconds
        while due := sorted((row for row in self._due if row[0] <= until), key=lambda row: row[0]):
            self._due.remove(due[0])
            self.time = max(self.time, due[0][0])
            due[0][1]()
        self.time = until

    def read(self, must_be_new):
        """Read the log and return the list to which the result will be added: a number of events, or an error."""
        results = []
        self.watch.read(
            STREAM, lambda events=None, error=None: results.append(error or len(events)), must_be_new=must_be_new
        )
        return results


@pytest.mark.parametrize(("must_be_new", "reads"), [(False, [100.0]), (True, [100.0, 105.0])])
def test_a_recent_read_is_reused_unless_events_must_be_new(must_be_new, reads):
    world = World()
    first = world.read(must_be_new=False)
    world.run(2)
    assert first == [1]
    second = world.read(must_be_new)
    assert second == ([] if must_be_new else [1])
    world.run(20)
    assert world.begun == reads
    assert second == [len(reads)]


@pytest.mark.parametrize(("must_be_new", "reads"), [(False, [100.0]), (True, [100.0, 105.0])])
def test_a_running_read_is_reused_unless_events_must_be_new(must_be_new, reads):
    world = World()
    first = world.read(must_be_new=False)
    world.run(0.5)
    second = world.read(must_be_new)
    world.run(1)
    assert (first, second) == ([1], [] if must_be_new else [1])
    world.run(20)
    assert world.begun == reads
    assert second == [len(reads)]


def test_one_read_serves_all_readers_that_need_new_events():
    world = World()
    world.read(must_be_new=False)
    world.run(2)
    results = [world.read(must_be_new=True) for _number in range(1000)]
    world.run(20)
    assert world.begun == [100.0, 105.0]
    assert results == [[2]] * 1000


@pytest.mark.parametrize("must_be_new", [False, True])
def test_a_refused_read_is_not_repeated(must_be_new):
    world = World(patience=60)
    world.error = ApiError("denied", "Grant it.")
    results = world.read(must_be_new)
    world.run(20)
    assert [type(row) for row in results] == [ApiError] and len(world.begun) == 1


@pytest.mark.parametrize(("patience", "reads"), [(0, 1), (12, 4), (60, 5)])
def test_a_failed_read_is_repeated_only_for_readers_that_need_new_events(patience, reads):
    """The repetition ends when the patience is over."""
    world = World(patience)
    world.error = ResponseLost("lost", "Run again.")
    hint, needed = world.read(must_be_new=False), world.read(must_be_new=True)
    world.run(18)
    world.error = None
    world.run(60)
    assert [type(row) for row in hint] == [ResponseLost]
    assert world.begun == [100.0 + 5 * number for number in range(reads)]
    assert needed == [5] if patience == 60 else [type(row) for row in needed] == [ResponseLost]
