# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of a stream that is verified: it reads what was recorded, and sends no command."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

from ...module_utils._api.error_codes import STREAM_ABSENT, recording_meaning
from ...module_utils._api.live import MAX_WINDOW, NOTIFY_LOG_KEPT, Live
from ...module_utils._api.models import IngestEvent, Push, Scope, Stream, TimeWindow, parse_time
from ...module_utils._domain import knowledge, recorded, verification
from ...module_utils._domain.coverage import Spans, intersect, normalize
from ...module_utils._domain.knowledge import KEPT_SECONDS, NotifyLog, Sources
from ...module_utils._domain.verification import Judgement, Known, Pushes, RecordedFile
from ...module_utils._domain.verify import judge
from ...module_utils._domain.verify_reasons import advise
from ...module_utils._errors import ApiError, LiveError, NotSent
from ...module_utils._util.clock import Clock
from ...module_utils._util.text import format_second
from .program import Program, Result
from .steps import CheckFiles, FileList, ReadFiles, ReadShared

CONFIGS, LOG, INGEST_LOG, PUBLISH_LIST = "configs", "notify_log", "ingest_log", "publish_list"  # kinds of shared reads
FILE_CONTENTS = "file_contents"
_NO_PERMISSION = ("Forbidden", "NoPermission")  # how codes begin that mean a missing right
_DAY = 86400.0
_PUBLISH_DAYS = 30  # that one call of the publish list covers
_MAX_PUSH_DAYS = 7  # before a window in which a push may have begun that lasts into it

_TITLES = {
    verification.INCOMPLETE: "is incomplete",
    verification.NOTHING_RECORDED: "was not recorded",
    verification.INTERRUPTED: "was interrupted",
    verification.UNKNOWN: "is unknown",
}

Check = Callable[[Sequence[RecordedFile], Live], list[RecordedFile]]


class VerifyPolicy(NamedTuple):
    """The settings of a run that verifies streams.

    `span` replaces the windows of all streams. `delay`: the seconds after which a file exists, if the user knows them.
    `check` checks files by their addresses, if set.
    """

    clock: Clock
    tolerance: float = 10.0
    span: Spans | None = None
    ingest_domain: str | None = None
    delay: float | None = None
    accept_unknown: bool = False
    accept_interrupted: bool = True
    check: Check | None = None


def plan_lists(windows: Spans, now: float, cycle: float, delay: float) -> list[TimeWindow]:
    """Return the windows in which files of a stream may be listed: by the time of the recording, or of the file.

    Which of the two the operation goes by is not documented.
    """
    spans = [(start - cycle, stop + cycle + delay + verification.FILE_LAG) for start, stop in windows]
    return [
        TimeWindow(_to_datetime(start), _to_datetime(stop))
        for start, stop in intersect(normalize(spans), ((now - KEPT_SECONDS, now),))
        if stop - start >= 1
    ]


def count_lists(windows: Spans, now: float) -> int:
    """Return how many calls the lists of a stream take at least, with one page each."""
    return sum(1 for window in plan_lists(windows, now, 0.0, 0.0) for _part in window.split(MAX_WINDOW))


def verify_stream(stream: Stream, windows: Spans, policy: VerifyPolicy, warnings: list[str]) -> Program:
    """Return the verdict on a stream, as a failure unless it is acceptable."""
    inquiry = _Inquiry(stream, windows, policy)
    known = Known(policy.clock.now(), (), (), 0.0, 0.0)
    if windows[0][0] < known.now:
        known = yield from inquiry.read()
    judgement = judge(windows, known, policy.tolerance)
    if judgement.verdict != verification.COMPLETE and windows[0][0] < known.now:
        known = yield from inquiry.read_pushes(known)
        judgement = judge(windows, known, policy.tolerance)
    warnings += inquiry.list_problems()
    result = _make_result(judgement, known, inquiry.verified_by)
    accepted = {verification.COMPLETE: True, verification.UNKNOWN: policy.accept_unknown}
    accepted[verification.INTERRUPTED] = policy.accept_interrupted
    if accepted.get(judgement.verdict):
        return result
    advice = advise(judgement, known, policy.span is not None)
    return {**result, **_make_failure(stream, judgement, advice, inquiry.refusal)}


class _Inquiry:
    """The reads for one stream. `refusal` is the error of a source that the account may not read."""

    def __init__(self, stream: Stream, windows: Spans, policy: VerifyPolicy) -> None:
        self._stream = stream
        self._windows = windows
        self._policy = policy
        self._problems: list[str] = []  # of the reads so far that say the same: of files, or of pushes
        self._all_problems: list[str] = []
        self.refusal: LiveError | None = None
        self.verified_by: list[str] = []

    def read(self) -> Generator[Any, Any, Known]:
        """Return what the lists say of files, and the files' addresses if they are to be checked."""
        stream, domain, start = self._stream, self._stream.domain_name, self._windows[0][0]
        configs = yield from self._share(CONFIGS, 0.0, lambda live: live.record_configs(domain))
        rules = knowledge.find_rules(configs, stream, start, self._policy.delay)
        log = yield from self._read_log(start - rules.cycle - rules.delay)
        index, now = yield from self._read_index(rules)
        if log:
            now = min(now, log.until)  # Of files that were made after the log was read, nothing is known.
        sources = Sources(now, index, configs, log, self._policy.delay, self._problems)
        known = knowledge.combine(stream, self._windows, sources)
        known = known._replace(is_checked=self._policy.check is not None)
        self.verified_by = knowledge.name_sources(sources)
        inside = [file for file in known.files if _is_inside(file, self._windows)]
        if self._policy.check and inside:
            inside = yield CheckFiles(inside, self._policy.check)
            if any(file.status != verification.UNCHECKED for file in inside):
                self.verified_by.append(FILE_CONTENTS)
        return known._replace(files=inside + [file for file in known.files if not _is_inside(file, self._windows)])

    def _read_index(self, rules: knowledge.Rules) -> Generator[Any, Any, tuple[list[dict[str, Any]] | None, float]]:
        now = self._policy.clock.now()
        try:
            found: FileList = yield ReadFiles(plan_lists(self._windows, now, rules.cycle, rules.delay))
        except ApiError as error:
            if recording_meaning(error.code) == STREAM_ABSENT:
                return [], now
            if not (error.code or "").startswith(_NO_PERMISSION):
                raise
            self._add_problem("the list of index files could not be read", error)
            return None, now
        return found.rows, found.now

    def _read_log(self, since: float) -> Generator[Any, Any, NotifyLog | None]:
        oldest = self._policy.clock.now() - NOTIFY_LOG_KEPT.total_seconds()
        if self._windows[-1][1] < oldest:
            return None
        domain, start = self._stream.domain_name, max(oldest, since // _DAY * _DAY)
        log: NotifyLog | None = yield from self._share(LOG, start, lambda live: _read_notify_log(live, domain, start))
        return log

    def _share(
        self, kind: str, since: float, read: Callable[[Live], Any], domain: str | None = None
    ) -> Generator[Any, Any, Any]:
        """Return what a read of the domain returned, None if it failed."""
        try:
            return (yield ReadShared((kind, domain or self._stream.domain_name), since, read))
        except NotSent:
            raise
        except LiveError as error:
            self._add_problem(f"the {kind.replace('_', ' ')} could not be read", error)
            return None

    def list_problems(self) -> list[str]:
        """Return a sentence on each source that could not be read."""
        return [f"A verdict rests on less: {text}." for text in self._all_problems]

    def _add_problem(self, what: str, error: LiveError) -> None:
        self._problems.append(f"{what} ({error.code or error.happened})")
        self._all_problems.append(self._problems[-1])
        self.refusal = self.refusal or error

    # --- pushes --------------------------------------------------------------------------------------------------

    def read_pushes(self, known: Known) -> Generator[Any, Any, Known]:
        """Return what is known together with the pushes, from the ingest log if it goes back far enough."""
        self._problems.clear()
        pushes = yield from self._read_ingest_log(known.now)
        if pushes is None:
            pushes = yield from self._read_publish_list(known.now)
        if pushes is None:
            return known._replace(push_problem="; ".join(self._problems))
        return known._replace(pushes=pushes)

    def _read_ingest_log(self, now: float) -> Generator[Any, Any, Pushes | None]:
        domain = self._policy.ingest_domain
        since = max(now - NOTIFY_LOG_KEPT.total_seconds(), self._windows[0][0] // _DAY * _DAY - _DAY)
        if not domain or self._windows[0][0] < since:
            return None
        window = TimeWindow(_to_datetime(since), _to_datetime(now))
        found = yield from self._share(
            INGEST_LOG, since, lambda live: (_read_ingest_events(live, domain, window), now), domain
        )
        if found is None:
            return None
        events, until = found
        own = events.get(self._stream[1:])
        first = min((rows[0].time.timestamp() for rows in events.values()), default=now)
        if not own or first > self._windows[0][0]:
            return None
        self.verified_by.append(INGEST_LOG)
        return recorded.read_push_events(own, first, min(now, until))

    def _read_publish_list(self, now: float) -> Generator[Any, Any, Pushes | None]:
        domain, days = self._stream.domain_name, _PUBLISH_DAYS
        while now - days * _DAY > self._windows[0][0] - _MAX_PUSH_DAYS * _DAY:
            days += _PUBLISH_DAYS
        since = now - days * _DAY
        window = TimeWindow(_to_datetime(since), _to_datetime(now))
        found = yield from self._share(PUBLISH_LIST, since, lambda live: (*_read_pushes(live, domain, window), now))
        if found is None:
            return None
        self.verified_by.append(PUBLISH_LIST)
        pushes, online, until = found
        name, trusted = self._stream[1:], _find_trusted(pushes, since, now)
        return recorded.read_push_list(pushes.get(name, ()), online.get(name), trusted, min(now, until))


def _read_notify_log(live: Live, domain: str, since: float) -> NotifyLog:
    """Return the log, with the times from which on it has all events of a kind; these need a callback to this day."""
    now = live.now()
    events = live.notify_events(Scope(domain), TimeWindow(_to_datetime(since), now))
    by_stream: dict[Stream, list[Any]] = {}
    for event in events:
        if event.stream:
            by_stream.setdefault(event.stream, []).append(event)
    try:
        callback = live.notify_config(domain)
    except ApiError:
        callback = None
    return NotifyLog(
        by_stream,
        now.timestamp(),
        recorded.find_first(events) if callback else None,
        recorded.find_first(events, recorded.STATUS_TYPES) if callback and callback.settings["status_events"] else None,
    )


def _read_ingest_events(live: Live, domain: str, window: TimeWindow) -> dict[tuple[str, str], list[IngestEvent]]:
    """Return the events by stream; none if no callback is configured now, because the latest ones would be missing."""
    return _group(live.ingest_events(domain, window)) if live.stream_notify_config(domain) else {}


def _group(rows: Iterable[Any]) -> dict[tuple[str, str], list[Any]]:
    found: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        found.setdefault((row.app_name, row.stream_name), []).append(row)
    return found


def _read_pushes(live: Live, domain: str, window: TimeWindow) -> tuple[dict[Any, Any], dict[Any, datetime | None]]:
    """Return the pushes of a domain by stream, and the beginnings of those that last."""
    online = live.online_streams(domain)
    pushes = _group(live.pushes(domain, window))
    begun = {(row.get("app_name"), row.get("stream_name")): parse_time(row.get("publish_time")) for row in online}
    return pushes, begun


def _find_trusted(pushes: Mapping[Any, Sequence[Push]], since: float, now: float) -> float:
    """Return the time since when the publish list has all pushes.

    How long pushes are kept is not documented. What is older than the span of one call is trusted from the first push
    of the domain on.
    """
    first = min((rows[0].start.timestamp() for rows in pushes.values()), default=now)
    return max(since, min(first, now - _PUBLISH_DAYS * _DAY))


# --- the result ------------------------------------------------------------------------------------------------------


def _make_result(judgement: Judgement, known: Known, verified_by: Sequence[str]) -> Result:
    files = [file for file in known.files if _is_inside(file, judgement.windows)]
    return {
        "changed": False,
        "state": judgement.verdict,
        "verdict": judgement.verdict,
        "reason": "; ".join(text for text in (judgement.reason, *judgement.notes) if text),
        "verified_by": list(verified_by),
        "windows": [[format_second(edge) for edge in window] for window in judgement.windows],
        "expected_seconds": round(judgement.expected, 3),
        "recorded_seconds": round(judgement.recorded, 3),
        "files": [_format_file(file) for file in sorted(files)],
        "gaps": [_format_gap(gap) for gap in judgement.gaps],
    }


def _format_file(file: RecordedFile) -> dict[str, Any]:
    found = {**file._asdict(), "start": format_second(file.start), "stop": format_second(file.stop)}
    found["url"] = recorded.remove_secrets(file.url) if file.url else None
    return {name: value for name, value in found.items() if value not in (None, "")}


def _format_gap(gap: verification.Gap) -> dict[str, Any]:
    seconds = {} if gap.seconds is None else {"seconds": round(gap.seconds, 3)}
    return {"start": format_second(gap.start), "stop": format_second(gap.stop), "cause": gap.cause, **seconds}


def _make_failure(stream: Stream, judgement: Judgement, advice: str, refusal: LiveError | None) -> Result:
    """Return the entries of a failure; its message is the same for all streams with the same cause."""
    is_unknown = judgement.verdict == verification.UNKNOWN
    error = refusal if is_unknown and refusal else LiveError("", "")
    if error.advice:
        is_pending = judgement.cause.startswith(verification.FILES_TO_COME)
        advice = f"{advice} {error.advice}" if is_pending else error.advice
    prefix = "it is unknown whether the recording is complete: " if is_unknown else ""
    title = _TITLES.get(judgement.verdict, judgement.verdict)
    return {
        "failed": True,
        "advice": advice,
        "msg": f"{stream} {title}: {judgement.reason}. {advice}",
        "error": {**error.as_result(), "message": f"{prefix}{judgement.cause}"},
    }


def _is_inside(file: RecordedFile, windows: Spans) -> bool:
    return bool(intersect(((file.start, max(file.stop, file.start + 1)),), windows))


def _to_datetime(epoch: float) -> datetime:
    return datetime.fromtimestamp(int(epoch), timezone.utc)
