# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a module, as a module or in the controller's process, from its options to its result."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from .._api.account import Account, Limits
from .._api.client import Client
from .._api.live import Live
from .._api.redactor import Redactor
from .._api.slot_file import local_pacing_warning, make_shared_directory
from .._api.slot_server import SlotServer, find_server
from .._api.store_address import StoreAddress
from .._api.traffic import Traffic
from .._credentials.cache import CredentialsCache
from .._credentials.caller_identity import OwnerFinder
from .._credentials.chain import build_credentials
from .._credentials.provider import Context
from .._errors import InvalidOption, LiveError, printable
from .._http.endpoint import DEFAULT_ENDPOINT, Endpoint, Settings
from .._util.clock import Clock
from .._util.instant import Instant
from .._util.text import format_duration

MIN_RATE = 0.001  # calls per second
MIN_SHARE = 0.001  # of the rate limit, for one machine
MAX_TIMEOUT = 3600  # seconds
MAX_LATE = 600.0  # seconds by which `start_at` may have passed; an older time is probably a mistake
_RENEW_BEFORE = 10.0  # seconds before `start_at` at which credentials are renewed
_CONNECT_BEFORE = 1.0  # seconds before `start_at` at which the first call is prepared and connected
_ACCOUNT_ID = re.compile("[0-9]{1,32}")
_REGION_VARIABLES = ("ALIBABA_CLOUD_REGION_ID", "ALIBABACLOUD_REGION_ID", "ALICLOUD_REGION", "ALICLOUD_REGION_ID")


class Task:
    """The validated options, the environment and the check mode of one run, and its access to the API.

    `run_directory` is used only by the processes of the same run of ansible-playbook, for temporary credentials that
    they share, and for the rate limit of their calls if there is no directory for all runs.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        environ: Mapping[str, str],
        check_mode: bool = False,
        clock: Clock | None = None,
        run_directory: str | None = None,
    ) -> None:
        self.options = options
        self.environ = environ
        self.check_mode = check_mode
        self.clock = clock or Clock()
        self.run_directory = run_directory
        self.warnings: list[str] = []
        self.debug: list[str] = []  # lines for who looks for a reason
        self.traffic = Traffic()
        self.redactor = Redactor()
        self.known: dict[str, Any] = {}  # entries of the result even if the task fails
        self._account: Account | None = None
        self._client: Client | None = None
        self._start_at: Instant | None = None

    def open_account(self) -> Account:
        """Return an account with credentials, which all tasks with the same connection options can share.

        Raise LiveError for invalid options and without credentials, so that no call can fail because of them.
        """
        settings = self._parse_settings()
        limits = self._parse_limits(settings)
        if limits.store and self.options["rate_limit_store_required"]:
            limits.store.require()
        cache = CredentialsCache(self.run_directory, self.clock.now, self.warn)
        context = Context(
            self.options, self.environ, settings, limits, self.clock, self.traffic, cache, self.warn, self.redactor
        )
        account = Account(
            settings, limits, build_credentials(context), self.clock, OwnerFinder(context, self.debug.append).find
        )
        account.get_access_key()
        account.get_owner()
        return account

    def open_live(self, account: Account | None = None) -> Live:
        """Return the API for the account of the options, or for a shared account.

        No command is sent before `start_at`. Raise LiveError for invalid options and without credentials.
        """
        start_at = self.parse_start_at()
        self._account = account or self.open_account()
        limits = self._account.limits._replace(retry_timeout=self.parse_retry_timeout())
        self._client = Client(
            self._account.settings, limits, None, self.clock, self.traffic, self._account, self.redactor
        )
        self._start_at = start_at
        if start_at and not self.check_mode:
            self._client.timing.not_before = start_at.epoch
        return Live(self._client, self._find_region())

    def wait_for_start(self) -> None:
        """Sleep until shortly before `start_at`, and renew credentials on the way; not in check mode."""
        if not self._start_at or not self._account or self.check_mode:
            return
        self.clock.sleep_until(self._start_at.epoch - _RENEW_BEFORE)
        self._account.get_access_key()
        self.clock.sleep_until(self._start_at.epoch - _CONNECT_BEFORE)

    def close(self) -> None:
        """Close the connections. A process may have thousands of tasks, such as those of a loop."""
        if self._client:
            self._client.close()

    def warn(self, text: str) -> None:
        """Add a warning to the result, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def mask(self, text: str) -> str:
        """Mask credentials and signatures in a text, wherever they came from."""
        self.redactor.learn_named({**self.environ, **self.options})
        return self.redactor.mask(text)

    def summarize(self, with_warnings: bool = True) -> dict[str, Any]:
        """Return the entries of every result: those `known`, the traffic, the delay after `start_at`, and warnings."""
        found = {**self.known, **self.traffic.as_result(), **self._measure_delay()}
        if with_warnings:
            self.warnings += self._client.warnings() if self._client else []
            found.update({"warnings": [printable(text) for text in self.warnings]} if self.warnings else {})
        return found

    def _measure_delay(self) -> dict[str, Any]:
        if not self._start_at:
            return {}
        sent_at = self._client.timing.first_sent_at if self._client and not self.check_mode else None
        late = None if sent_at is None else round(sent_at - self._start_at.epoch, 3)
        return {"start_at": self._start_at.text, "late_seconds": late}

    def parse_start_at(self) -> Instant | None:
        """Return the time of the option `start_at`, None if it is not set; raise InvalidOption."""
        text = self.options.get("start_at")
        if text in (None, ""):
            return None
        now = self.clock.now()
        start_at = Instant.parse("start_at", text, now)
        if now - start_at.epoch > MAX_LATE:
            raise InvalidOption(
                f"The option start_at is {text}, which was {format_duration(now - start_at.epoch)} ago",
                f"Give a future time, or one that was at most {format_duration(MAX_LATE)} ago.",
            )
        return start_at

    def _find_region(self) -> str | None:
        from_environment = (self.environ[name] for name in _REGION_VARIABLES if self.environ.get(name))
        region = self.options.get("region_id") or next(from_environment, None)
        if region and not re.fullmatch(r"[A-Za-z0-9-]{1,64}", region):
            raise InvalidOption(
                "The option region_id, or the variable it comes from, is not a region ID", "Give one like cn-shanghai."
            )
        return region

    def _parse_limits(self, settings: Settings) -> Limits:
        rate_limit, share = self.options.get("rate_limit"), self.options["rate_limit_share"]
        if rate_limit is not None and not rate_limit >= MIN_RATE:
            advice = f"Give calls per second, more than 0 and at least {MIN_RATE}."
            raise InvalidOption(f"The option rate_limit is {rate_limit}", advice)
        if not MIN_SHARE <= share <= 1:
            advice = f"Give a part of the rate limit, at least {MIN_SHARE} and at most 1, such as 0.5 for two machines."
            raise InvalidOption(f"The option rate_limit_share is {share}", advice)
        _check_account(self.options.get("rate_limit_account"))
        retry_timeout, store = self.parse_retry_timeout(), self._parse_store(settings, share)
        try:
            directory = make_shared_directory(self.environ)
        except OSError as error:
            directory = None
            reason = f"{error.filename or ''} {error.strerror}".strip()
            self.warnings.append(local_pacing_warning(reason, alone=not self.run_directory))
        return Limits(retry_timeout, rate_limit, directory, self.run_directory, share, store)

    def _parse_store(self, settings: Settings, share: float) -> SlotServer | None:
        url = self.options.get("rate_limit_store") or self.environ.get("APSARAVIDEO_RATE_LIMIT_STORE")
        if not url:
            if self.options["rate_limit_store_required"]:
                raise InvalidOption(
                    "The option rate_limit_store_required is set without rate_limit_store",
                    "Set rate_limit_store, or leave it out.",
                )
            return None
        password = self.environ.get("APSARAVIDEO_RATE_LIMIT_STORE_PASSWORD")
        address = StoreAddress.parse(url, password, settings.validate_certs, settings.ca_path)
        self.redactor.learn(url, *address.secrets())
        return find_server(address, share)

    def parse_retry_timeout(self) -> float:
        """Return the seconds of the option, which each stream has of its own even if streams share an account."""
        seconds: float = self.options["retry_timeout"]
        if seconds != -1 and not 0 <= seconds < math.inf:
            advice = "Give seconds, 0 to try only once, or -1 to try for ever."
            raise InvalidOption(f"The option retry_timeout is {seconds}", advice)
        return seconds

    def _parse_settings(self) -> Settings:
        options = self.options
        for name in ("connect_timeout", "read_timeout"):
            if not 0 < options[name] <= MAX_TIMEOUT:
                advice = f"Give seconds, more than 0 and at most {MAX_TIMEOUT}."
                raise InvalidOption(f"The option {name} is {options[name]}", advice)
        ca_path = options.get("ca_path")
        if ca_path and not os.path.exists(ca_path):
            raise InvalidOption(
                "The option ca_path names a file that does not exist",
                "Give the path of an existing file of CA certificates.",
            )
        text = options.get("endpoint") or self.environ.get("APSARAVIDEO_ENDPOINT") or DEFAULT_ENDPOINT
        return Settings(
            endpoint=Endpoint.parse(text, options["allow_http"]),
            connect_timeout=options["connect_timeout"],
            read_timeout=options["read_timeout"],
            validate_certs=options["validate_certs"],
            ca_path=ca_path,
            run_directory=self.run_directory,
        )


def _check_account(account: str | None) -> None:
    """Raise InvalidOption if the option rate_limit_account is not the ID of an account."""
    if account and not _ACCOUNT_ID.fullmatch(account):
        raise InvalidOption(
            f"The option rate_limit_account is {account}",
            "Give the account's ID, which is a number, such as 1234567890123456.",
        )


def execute(operate: Callable[[Task], dict[str, Any]], task: Task) -> dict[str, Any]:
    """Run the operation of a task, and return its result; a LiveError becomes a result with `failed` and `msg`.

    Raise UnexpectedError for any other exception, whose text may contain secrets.
    """
    try:
        result = operate(task)
    except LiveError as error:
        result = make_failure(error)
    except Exception as error:
        raise make_unexpected_error(task, error) from None
    finally:
        task.close()
    return {**result, **task.summarize()}


def make_failure(error: LiveError) -> dict[str, Any]:
    """Return the result of a task that failed with this error."""
    return {"failed": True, "changed": error.may_have_changed, "msg": str(error), "error": error.as_result()}


def make_unexpected_error(task: Task, error: Exception) -> UnexpectedError:
    """Return an error to raise instead of an exception whose text may contain secrets."""
    return UnexpectedError(printable(task.mask(_format_exception_chain(error)))).with_traceback(error.__traceback__)


class UnexpectedError(Exception):
    """A bug. Its text is that of the original exception and its causes, already masked by whoever raises it."""


def _format_exception_chain(error: BaseException) -> str:
    texts = []
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current and current not in seen:
        seen.append(current)
        texts.append(f"{type(current).__name__}: {current}")
        current = current.__cause__ or current.__context__
    return ", caused by ".join(texts)
