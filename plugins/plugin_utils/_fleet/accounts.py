# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts whose streams a fleet records."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ...module_utils._api.account import Account
from ...module_utils._api.live import Live
from ...module_utils._api.operations import RECORD_COMMAND, Operation
from ...module_utils._errors import LiveError, ParentExited
from ...module_utils._module.task import Task, make_unexpected_error
from .engine import Engine
from .lane import Lane

MAX_READ_SECONDS = 5.0  # for the attempts of a read that serves a whole domain; the watch repeats it


class OpenAccount(NamedTuple):
    """An account whose credentials were read, and the lane of its streams."""

    account: Account
    lane: Lane


class Accounts:
    """The accounts of a fleet, by their connection options; each is opened once, by a thread of the pool.

    `tasks` are the Task objects whose calls serve many streams, such as requests for credentials and for lists.
    `operation` is the one whose quota the run shares out among its streams.
    """

    def __init__(self, engine: Engine, operation: Operation = RECORD_COMMAND) -> None:
        self.operation = operation
        self.tasks: list[Task] = []
        self._engine = engine
        self._opened: dict[str, OpenAccount | LiveError] = {}
        self._callbacks: dict[str, list[Callable[[OpenAccount | LiveError], None]]] = {}

    def open(self, key: str, task: Task, callback: Callable[[OpenAccount | LiveError], None]) -> None:
        """Call back with the account of a task's options, or with the error that prevents its use."""
        opened = self._opened.get(key)
        if opened is not None:
            callback(opened)
        elif key in self._callbacks:
            self._callbacks[key].append(callback)
        else:
            self._callbacks[key] = [callback]
            self._engine.active += 1
            opener = Task(task.options, task.environ, task.check_mode, task.clock, task.run_directory)
            self.tasks.append(opener)
            self._engine.pool.submit(
                opener.open_account, lambda account, error: self._done(key, opener, account, error)
            )

    def _done(self, key: str, opener: Task, account: Account | None, error: BaseException | None) -> None:
        self._engine.active -= 1
        if isinstance(error, ParentExited):
            return
        opened: OpenAccount | LiveError
        if isinstance(error, LiveError):
            opened = error
        elif isinstance(error, Exception) or not account:
            opened = wrap_unexpected(opener, error if isinstance(error, Exception) else TypeError("no account"))
        else:
            lane = Lane(
                lambda is_patient=False: self._new_live(opener, account, is_patient),
                opener.options["retry_timeout"],
            )
            opened = OpenAccount(account, lane)
            self._engine.lanes.append(lane)
        self._opened[key] = opened
        for callback in self._callbacks.pop(key):
            callback(opened)

    def _new_live(self, opener: Task, account: Account, is_patient: bool) -> Live:
        """Return a client for calls that serve a whole domain, with short retries unless it is patient."""
        seconds = opener.options["retry_timeout"]
        bounded = min(seconds, MAX_READ_SECONDS) if seconds >= 0 else MAX_READ_SECONDS
        options = {**opener.options, "start_at": None, "retry_timeout": seconds if is_patient else bounded}
        task = Task(options, opener.environ, False, opener.clock, opener.run_directory)
        self.tasks.append(task)
        return task.open_live(account)

    def quota(self) -> float | None:
        """Return the calls per second that the run may make, or None unless there is exactly one account."""
        accounts = self._accounts()
        if len(accounts) != 1:
            return None
        limits = accounts[0].limits
        return (limits.rate_limit or self.operation.calls_per_second) * (1 if limits.store else limits.share)

    def is_shared(self) -> bool:
        """Return whether every account has a store or a share of its rate limit, for other controllers to use it."""
        return all(account.limits.store or account.limits.share < 1 for account in self._accounts())

    def debug_lines(self) -> list[str]:
        """Return lines on how the accounts were opened, for who looks for a reason."""
        return [task.mask(line) for task in self.tasks for line in task.debug]

    def sum_rates(self) -> tuple[float, float] | None:
        """Return the calls per second of all accounts: their quotas, and their limits; None without an account."""
        rates = [account.get_rate(self.operation) for account in self._accounts()]
        return (self.operation.calls_per_second * len(rates), sum(rates)) if rates else None

    def warnings(self) -> list[str]:
        """Return the warnings of all accounts."""
        return [text for account in self._accounts() for text in account.warnings()]

    def close(self) -> None:
        """Close the connections of all accounts."""
        for account in self._accounts():
            account.close()

    def _accounts(self) -> list[Account]:
        return [opened.account for opened in self._opened.values() if isinstance(opened, OpenAccount)]


def wrap_unexpected(task: Task, error: Exception) -> LiveError:
    """Return the error of one stream for an exception that is a bug, so that the other streams go on."""
    wrapped = LiveError(
        f"An unexpected error: {make_unexpected_error(task, error)}", "Report it as a bug of the collection."
    )
    wrapped.may_have_changed = True
    return wrapped
