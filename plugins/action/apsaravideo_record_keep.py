# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits until a time for all hosts of a play, in one task of one host, and keeps streams recording meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._argspec import STREAM
from ..module_utils._instant import Instant
from ..module_utils._record import SPEC, operate
from ..module_utils._recording import STARTED
from ..module_utils._windows import recording
from ..plugin_utils._in_process import InProcessAction, WorkerClock
from ..plugin_utils._keep import Every, Known, Result, keep
from ..plugin_utils._plain import plain

_OPTIONS = {
    "plan": {"type": "dict", "required": True},
    "number": {"type": "int", "required": True},
    "ahead": {"type": "float", "default": 0.0},
    "missing": {"type": "list", "elements": "str", "default": []},
    "before": {"type": "dict", "default": {}},
    "retry": {"type": "float", "default": 0.0},
    "recheck": {"type": "float", "default": 0.0},
}
_AT_ONCE = 8  # calls under way, enough for the quota where an answer takes a sixth of a second


class ActionModule(InProcessAction):
    """The action of the module of the same name, which is documentation only."""

    _supports_async = False

    spec = SPEC
    operate = staticmethod(operate)
    variables = (("rate_limit", "record_rate_limit"), *InProcessAction.variables)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """What is known of the streams when the time has come."""
        ActionBase.run(self, tmp, task_vars)
        hostvars = (task_vars or {})["hostvars"]
        _checked, options = self.validate_argument_spec(argument_spec=_OPTIONS)
        clock = WorkerClock()
        phases, hosts = options["plan"]["phases"], options["plan"]["hosts"]
        number = options["number"]
        until = Instant.parse("at", phases[number]["at"], clock.now()).epoch - options["ahead"]
        recorded = recording((phase["state"], its_hosts) for phase, its_hosts in zip(phases[:number], hosts))
        every = Every(options["retry"], options["recheck"])
        known = _known(recorded, options, hostvars, clock.now())
        given: dict[str, dict[str, Any]] = {}

        def start(streams: list[str]) -> Iterator[tuple[str, Result]]:
            for host in streams:
                if host not in given:
                    given[host] = self._options(hostvars[host])

            def one(host: str) -> Result | None:
                return self._result(given[host], {}) if clock.now() < until else None

            with ThreadPoolExecutor(_AT_ONCE) as pool:
                yield from ((host, result) for host, result in zip(streams, pool.map(one, streams)) if result)

        if not self._task.check_mode:
            with self._task_environment():
                known = keep(until, recorded, known, every, start, Display().display, clock)
        failed = plain(options["before"].get("failed_hosts", {}))
        failed.update({host: known.missing[host] for host in hosts[number] if host in known.missing})
        rechecked = known.rechecked if recorded else None
        return {"changed": False, "failed_hosts": failed, **known._asdict(), "rechecked": rechecked}

    def _options(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """What the role would have for a host. None waits for another try of its own, because there is a next round."""
        given = {name: variables.get(name, "") for name in STREAM}
        for name, variable in self.variables:
            if name not in given and variables.get(variable) is not None:
                given[name] = variables[variable]
        return {**plain(given), "state": STARTED, "retry_timeout": 0}


def _known(recorded: list[str], options: Mapping[str, Any], hostvars: Mapping[str, Any], now: float) -> Known:
    """What the last task knew of the hosts that still count, and those that could not be started since."""
    hosts, before = set(recorded), plain(options["before"])
    missing, lost = (
        {host: result for host, result in before.get(name, {}).items() if host in hosts} for name in ("missing", "lost")
    )
    retried = before["retried"] if missing or lost else now
    for host in hosts.intersection(options["missing"]):
        missing[host] = plain(hostvars[host].get("record_result"))
    return Known(missing, lost, retried, before.get("rechecked") or now)
