# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account that an access key belongs to, whose quota all of its access keys and roles share.

Where neither the options nor the credentials tell, the Security Token Service does, once for each access key: the
answer is remembered in a private file of the user, whose name is a hash. A run with the only access key of the user on
this machine asks nobody, because there is nothing to share with.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .._api.access_key import AccessKey, Credentials, digest
from .._api.client import Client
from .._api.operations import GET_CALLER_IDENTITY
from .._errors import LiveError
from .._http.endpoint import Endpoint
from .._util.file_lock import lock_file
from .provider import Context
from .sts import sts_url

_ACCOUNT_ID = re.compile("[0-9]{1,32}")
_PREFIX = "owner-"
_RETRY_AFTER = 3600.0  # seconds after a failure until the service is asked again
_IN_USE = 86400.0  # seconds for which an access key counts as in use on this machine
_MAX_TIMEOUT = 2.0  # seconds for each part of the request
_LOCK_TIMEOUT = 10.0  # seconds to wait for the process that asks
_MAX_LOCK_PAUSE = 0.05  # seconds
_MAX_FILE_SIZE = 1000  # bytes
_CLOUD = ".aliyuncs.com"


class OwnerFinder:
    """Finds the account that access keys of a task belong to. `debug` takes a line for who looks for a reason."""

    def __init__(self, context: Context, debug: Callable[[str], None]) -> None:
        self._context = context
        self._debug = debug

    def find(self, key: AccessKey) -> str:
        """Return the ID of the account of an access key, or a name of the access key if the ID is not known."""
        given = self._context.options.get("rate_limit_account")
        directory = self._context.limits.slot_directory
        if given:
            return str(given)
        if not directory:
            return self._ask_if_possible(key) or key.account
        try:
            path = os.path.join(directory, f"{_PREFIX}{digest(key.account)[:32]}")
            with lock_file(path, _LOCK_TIMEOUT, _MAX_LOCK_PAUSE) as file:
                os.utime(file)
                return self._find_remembered(key, file, directory)
        except OSError as error:
            self._debug(f"The account of an access key cannot be remembered: {error.strerror}.")
            return key.account

    def _find_remembered(self, key: AccessKey, file: int, directory: str) -> str:
        if _ACCOUNT_ID.fullmatch(key.account):
            return key.account
        known, now = _read(file), self._context.clock.now()
        account = known.get("account")
        if isinstance(account, str) and _ACCOUNT_ID.fullmatch(account):
            return account
        failed_at = known.get("failed_at")
        has_failed = isinstance(failed_at, (int, float)) and 0 <= now - failed_at < _RETRY_AFTER
        if has_failed or not (self._context.limits.store or self._has_others(file, directory)):
            return key.account
        found = self._ask_if_possible(key)
        _write(file, {"account": found} if found else {"failed_at": now})
        return found or key.account

    def _has_others(self, file: int, directory: str) -> bool:
        """Return whether other access keys were used lately, and forget those that were not."""
        own, now, has_others = os.fstat(file).st_ino, self._context.clock.now(), False
        for entry in os.scandir(directory):
            if entry.name.startswith(_PREFIX) and entry.inode() != own:
                with suppress(OSError):
                    if now - entry.stat(follow_symlinks=False).st_mtime < _IN_USE:
                        has_others = True
                    else:
                        os.unlink(entry.path)
        return has_others

    def _ask_if_possible(self, key: AccessKey) -> str | None:
        """Return the account ID from the service; None if it is not known, and for a call of another cloud."""
        if _ACCOUNT_ID.fullmatch(key.account):
            return key.account
        context = self._context
        url = context.lookup("sts_endpoint", "APSARAVIDEO_STS_ENDPOINT")
        if not url and not context.settings.endpoint.host.endswith(_CLOUD):
            return None  # Nobody has said that the vendor may see this access key.
        try:
            account = self._ask(key, Endpoint.parse(url or sts_url(context), name="sts_endpoint"))
        except LiveError as error:
            account = None
            reason = error.happened
        else:
            reason = "its response has no AccountId"
        if isinstance(account, str) and _ACCOUNT_ID.fullmatch(account):
            return account
        self._debug(f"The account of an access key is not known, so its calls have a rate limit of their own: {reason}")
        return None

    def _ask(self, key: AccessKey, endpoint: Endpoint) -> Any:
        context = self._context
        settings = context.settings._replace(
            endpoint=endpoint,
            connect_timeout=min(_MAX_TIMEOUT, context.settings.connect_timeout),
            read_timeout=min(_MAX_TIMEOUT, context.settings.read_timeout),
        )
        limits = context.limits._replace(retry_timeout=0, store=None)
        credentials = Credentials(lambda _expired: key, context.clock.now)
        client = Client(settings, limits, credentials, context.clock, context.traffic, redactor=context.redactor)
        try:
            return client.call(GET_CALLER_IDENTITY, {}).content.get("AccountId")
        finally:
            client.close()


def _read(file: int) -> dict[str, Any]:
    if os.fstat(file).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return {}
    try:
        content = json.loads(os.pread(file, _MAX_FILE_SIZE, 0))
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _write(file: int, content: dict[str, Any]) -> None:
    with suppress(OSError):
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(content).encode(), 0)
