# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The knowledge of a stream's recording that its sources give together; pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .._api.models import NotifyEvent, Stream, parse_time
from . import recorded
from .coverage import Spans, intersect, normalize
from .record_config import find_best_config
from .recorded import Files
from .verification import NOT_LISTED, TOO_OLD, Known

DEFAULT_DELAY = 180.0  # seconds that a recording waits before its file is made, unless its configuration says more
MAX_DELAY = MAX_CYCLE = 21600.0  # seconds; the longest that a configuration may set
KEPT_SECONDS = 180 * 86400.0  # for which index files are listed
INDEX_FILES, NOTIFY_LOG = "index_files", "notify_log"


class NotifyLog(NamedTuple):
    """The notify log of a domain until a time, by stream.

    `since`, `status_since`: the times of the first event, and of the first one that shows the state of a recording;
    None if there is none, or if no callback for such events is configured now.
    """

    events: Mapping[Stream, Sequence[NotifyEvent]]
    until: float
    since: float | None = None
    status_since: float | None = None


class Sources(NamedTuple):
    """The lists that were read until `now`; None stands for one that could not be, and `problems` says why.

    `listed` are rows of the list of index files, `configs` the recording configurations of the domain. `delay` is the
    seconds after which a file exists, if the user knows them.
    """

    now: float
    listed: Sequence[Mapping[str, Any]] | None = None
    configs: list[dict[str, Any]] | None = None
    log: NotifyLog | None = None
    delay: float | None = None
    problems: Sequence[str] = ()


class Rules(NamedTuple):
    """The rules of a recording: when its files are made, and whether all or some of them are index files."""

    delay: float
    cycle: float
    has_index: bool
    has_others: bool = True


def find_rules(configs: list[dict[str, Any]] | None, stream: Stream, since: float, delay: float | None) -> Rules:
    """Return the rules of a recording that began at `since` or later.

    They are unknown, and the longest times apply, if the configuration cannot be read or is newer than the recording.
    """
    config = find_best_config(configs, stream) if configs else None
    created = parse_time(config["create_time"]) if config else None
    if not config or (created and created.timestamp() > since) or config["mode"] == "callback":
        return Rules(MAX_DELAY if delay is None else delay, MAX_CYCLE, False)
    formats = [*config["formats"], *config["transcode_formats"]]
    cycles = [float(item["cycle_duration"] or MAX_CYCLE) for item in formats]
    waits = max(DEFAULT_DELAY, float(config["delay_time"] or 0)) if delay is None else delay
    kinds = {item["format"] for item in formats}
    has_index, has_others = recorded.INDEX_FORMAT in kinds, kinds != {recorded.INDEX_FORMAT}
    return Rules(waits, max(cycles, default=MAX_CYCLE), has_index, has_others)


def combine(stream: Stream, windows: Spans, sources: Sources) -> Known:
    """Return what is known of a stream, without its pushes."""
    rules = find_rules(sources.configs, stream, windows[0][0], sources.delay)
    events = sources.log.events.get(stream, ()) if sources.log else ()
    config = find_best_config(sources.configs, stream) if sources.configs else None
    index = recorded.read_index_files(sources.listed or ())
    files = recorded.merge_files(index, recorded.read_logged_files(events, config))
    known = Known(sources.now, files.found, (), rules.delay, rules.cycle)
    status_since = sources.log.status_since if sources.log else None
    course = recorded.read_course(events, status_since, known.horizon, rules.cycle)
    listed, logged = _find_visible(sources, rules, files, bool(index.found))
    visible = normalize((*listed, *logged))
    is_hopeless = sources.listed is None or (config is not None and not rules.has_index and not sources.problems)
    unseen = _explain_unseen(sources, files, windows)
    return known._replace(
        visible=visible,
        whole=logged if rules.has_others else visible,
        pauses=course.pauses,
        closed_until=course.closed_until,
        unseen=unseen,
        blind=unseen if is_hopeless and not intersect(visible, windows) else "",
        errors=recorded.list_errors(events, windows),
    )


def _find_visible(sources: Sources, rules: Rules, files: Files, has_index: bool) -> tuple[Spans, Spans]:
    """Return the times of which every index file is listed, and those of which every file is logged."""
    listed: Spans = ()
    logged: Spans = ()
    if sources.listed is not None and (rules.has_index or has_index) and not files.unreadable:
        listed = ((sources.now - KEPT_SECONDS, sources.now),)
    if sources.log and sources.log.since is not None and not files.unreadable:
        logged = ((sources.log.since, sources.now),)
    return listed, logged


def _explain_unseen(sources: Sources, files: Files, windows: Spans) -> str:
    if files.unreadable:
        return "some files are listed without valid times"
    if windows[0][0] < sources.now - KEPT_SECONDS:
        return TOO_OLD
    return "; ".join(sources.problems) or NOT_LISTED


def name_sources(sources: Sources) -> list[str]:
    """Return the names of the sources that say what was recorded."""
    return [name for name, source in ((INDEX_FILES, sources.listed), (NOTIFY_LOG, sources.log)) if source is not None]
