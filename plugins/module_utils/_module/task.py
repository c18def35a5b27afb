# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a module, whichever way it is executed: what it was given, and how its end is reported."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from .._api.account import Account, Limits
from .._api.client import Client
from .._api.live import Live
from .._api.rate_limiter import local_pacing_warning, make_shared_directory
from .._api.redactor import Redactor
from .._api.traffic import Traffic
from .._credentials.cache import CredentialsCache
from .._credentials.chain import build_credentials
from .._credentials.provider import Context
from .._errors import InvalidOption, LiveError, printable
from .._http.endpoint import DEFAULT_ENDPOINT, Endpoint, Settings
from .._util.clock import Clock
from .._util.instant import Instant
from .._util.text import format_duration

_LOWEST_RATE = 0.001  # calls per second
_LONGEST_TIMEOUT = 3600  # seconds
_KEYS_READY = 10.0  # seconds before `start_at` that keys are renewed
MAX_LATE = 600.0  # seconds that a moment to act at may lie back when a run begins; what is older is a slip
_READY = 1.0  # seconds before `start_at` that the first call is made ready and connected


class Task:
    """Validated options, environment and check mode of one run, and the calls that it can make.

    `key_directory` is one that only the processes of the same run use, for temporary keys that they share, and for the
    slots of their calls where there is no directory for all runs.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        environ: Mapping[str, str],
        check_mode: bool = False,
        clock: Clock | None = None,
        key_directory: str | None = None,
    ) -> None:
        self.options = options
        self.environ = environ
        self.check_mode = check_mode
        self.clock = clock or Clock()
        self.key_directory = key_directory
        self.warnings: list[str] = []
        self.traffic = Traffic()
        self.redactor = Redactor()
        self.known: dict[str, Any] = {}  # what the result says even where the task fails
        self._account: Account | None = None
        self._client: Client | None = None
        self._start_at: Instant | None = None

    def account(self) -> Account:
        """Return what the calls of all tasks with these connection options can share.

        Raises LiveError for options that no call can be made with, and where there are no credentials: a failure here
        must not be taken for one of a call.
        """
        settings, limits = self._settings(), self._limits()
        cache = CredentialsCache(self.key_directory, self.clock.now, self.warn)
        context = Context(self.options, self.environ, settings, limits, self.clock, self.traffic, cache, self.warn)
        account = Account(settings, limits, build_credentials(context), self.clock)
        account.get_access_key()
        return account

    def live(self, account: Account | None = None) -> Live:
        """Return the API with the endpoint and credentials of the options, or with those of an account that is shared.

        No request is sent before `start_at`. Raise LiveError for options that no call can be made with.
        """
        start_at = self.start_at()
        self._account = account or self.account()
        limits = self._account.limits._replace(retry_timeout=self.retry_timeout())
        self._client = Client(
            self._account.settings, limits, None, self.clock, self.traffic, self._account, self.redactor
        )
        self._start_at = start_at
        if start_at and not self.check_mode:
            self._client.timing.not_before = start_at.epoch
        return Live(self._client, self._region_id())

    def wait_for_start(self) -> None:
        """Sleep until shortly before `start_at`, and renew credentials on the way; not in check mode."""
        if not self._start_at or not self._account or self.check_mode:
            return
        self.clock.sleep_until(self._start_at.epoch - _KEYS_READY)
        self._account.get_access_key()
        self.clock.sleep_until(self._start_at.epoch - _READY)

    def close(self) -> None:
        """Close what the calls have left open. A process may have thousands of tasks, as that of a loop."""
        if self._client:
            self._client.close()

    def warn(self, text: str) -> None:
        """Have the result carry a warning, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def mask(self, text: str) -> str:
        """Mask credentials and signatures in a text, wherever they came from."""
        self.redactor.learn_named({**self.environ, **self.options})
        return self.redactor.mask(text)

    def outcome(self, with_warnings: bool = True) -> dict[str, Any]:
        """Return what every result carries: what is `known`, the traffic, punctuality, and warnings if any."""
        found = {**self.known, **self.traffic.as_result(), **self._punctuality()}
        if with_warnings:
            self.warnings += self._client.warnings() if self._client else []
            found.update({"warnings": [printable(text) for text in self.warnings]} if self.warnings else {})
        return found

    def _punctuality(self) -> dict[str, Any]:
        if not self._start_at:
            return {}
        sent_at = self._client.timing.first_sent_at if self._client and not self.check_mode else None
        late = None if sent_at is None else round(sent_at - self._start_at.epoch, 3)
        return {"start_at": self._start_at.text, "late_seconds": late}

    def start_at(self) -> Instant | None:
        """Return the moment of the option `start_at`, None without one; raises InvalidOption."""
        given = self.options.get("start_at")
        if given in (None, ""):
            return None
        now = self.clock.now()
        moment = Instant.parse("start_at", given, now)
        if now - moment.epoch > MAX_LATE:
            raise InvalidOption(
                f"The option start_at is {given}, which was {format_duration(now - moment.epoch)} ago",
                f"Give a time to come, or one that was at most {format_duration(MAX_LATE)} ago.",
            )
        return moment

    def _region_id(self) -> str | None:
        variables = ("ALIBABA_CLOUD_REGION_ID", "ALIBABACLOUD_REGION_ID", "ALICLOUD_REGION", "ALICLOUD_REGION_ID")
        found = (self.environ[name] for name in variables if self.environ.get(name))
        region = self.options.get("region_id") or next(found, None)
        if region and not re.fullmatch(r"[A-Za-z0-9-]{1,64}", region):
            raise InvalidOption(
                "The option region_id, or the variable it comes from, is no region", "Give it as in cn-shanghai."
            )
        return region

    def _limits(self) -> Limits:
        rate_limit, retry_timeout = self.options.get("rate_limit"), self.retry_timeout()
        if rate_limit is not None and not rate_limit >= _LOWEST_RATE:
            advice = f"Give calls per second, more than 0 and at least {_LOWEST_RATE}."
            raise InvalidOption(f"The option rate_limit is {rate_limit}", advice)
        try:
            directory = make_shared_directory(self.environ)
        except OSError as error:
            directory = None
            why = f"{error.filename or ''} {error.strerror}".strip()
            self.warnings.append(local_pacing_warning(why, alone=not self.key_directory))
        return Limits(retry_timeout, rate_limit, directory, self.key_directory)

    def retry_timeout(self) -> float:
        """Return the seconds of the option; it is a stream's own, also where streams share an account."""
        seconds: float = self.options["retry_timeout"]
        if seconds != -1 and not 0 <= seconds < math.inf:
            advice = "Give seconds, 0 to try only once, or -1 to try for ever."
            raise InvalidOption(f"The option retry_timeout is {seconds}", advice)
        return seconds

    def _settings(self) -> Settings:
        options = self.options
        for name in ("connect_timeout", "read_timeout"):
            if not 0 < options[name] <= _LONGEST_TIMEOUT:
                advice = f"Give seconds, more than 0 and at most {_LONGEST_TIMEOUT}."
                raise InvalidOption(f"The option {name} is {options[name]}", advice)
        ca_path = options.get("ca_path")
        if ca_path and not os.path.exists(ca_path):
            raise InvalidOption("The option ca_path names a file that does not exist", "Correct the path.")
        text = options.get("endpoint") or self.environ.get("APSARAVIDEO_ENDPOINT") or DEFAULT_ENDPOINT
        return Settings(
            endpoint=Endpoint.parse(text, options["allow_http"]),
            connect_timeout=options["connect_timeout"],
            read_timeout=options["read_timeout"],
            validate_certs=options["validate_certs"],
            ca_path=ca_path,
            run_directory=self.key_directory,
        )


def execute(operate: Callable[[Task], dict[str, Any]], task: Task) -> dict[str, Any]:
    """The result of an operation; where it fails foreseeably, one with `failed`, `msg` and `error`.

    Any other exception becomes an UnexpectedError, because what it says may hold keys.
    """
    try:
        result = operate(task)
    except LiveError as error:
        result = failure(error)
    except Exception as error:
        raise unexpected(task, error) from None
    finally:
        task.close()
    return {**result, **task.outcome()}


def failure(error: LiveError) -> dict[str, Any]:
    """Return the result of a task that failed foreseeably."""
    return {"failed": True, "changed": error.may_have_changed, "msg": str(error), "error": error.as_result()}


def unexpected(task: Task, error: Exception) -> UnexpectedError:
    """Return what to raise in place of an exception whose text may hold secrets."""
    return UnexpectedError(printable(task.mask(_told(error)))).with_traceback(error.__traceback__)


class UnexpectedError(Exception):
    """A bug; the text is that of the exception and of those it came from, without secrets."""


def _told(error: BaseException) -> str:
    """What an exception says, and what those say that it came from."""
    told = []
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current and current not in seen:
        seen.append(current)
        told.append(f"{type(current).__name__}: {current}")
        current = current.__cause__ or current.__context__
    return ", which came from ".join(told)
