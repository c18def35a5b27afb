# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the places that keys come from have in common. Each is an object with one method, `keys()`.

`keys()` returns None where the place holds nothing, so that the next one is asked, and raises CredentialsError where it
holds something that cannot be used: a mistake in one place never leads to the keys of another.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from .._api.access_key import AccessKey, digest
from .._api.account import Limits
from .._api.traffic import Traffic
from .._errors import CredentialsError, LiveError
from .._http.endpoint import Settings
from .._http.transport import Transport
from .._util.clock import Clock
from .cache import CredentialsCache, Issue

STATUS_OK = 200


class Provider(Protocol):
    """A place that may hold keys."""

    def keys(self, expired: AccessKey | None = None) -> AccessKey | None:
        """The keys, others than `expired` if there are; None where there are none. Raises CredentialsError."""


class Context(NamedTuple):
    """What the sources of one task work with. `settings` tell how the API is reached, and so how STS is."""

    options: Mapping[str, Any]
    environ: Mapping[str, str]
    settings: Settings
    limits: Limits
    clock: Clock
    traffic: Traffic
    cache: CredentialsCache
    warn: Callable[[str], None]

    def first(self, option: str, *variables: str) -> Any:
        """The option, or else the first of the variables that is set."""
        given = (self.environ[name] for name in variables if self.environ.get(name))
        return self.options.get(option) or next(given, None)

    def is_set(self, variable: str) -> bool:
        """Whether a variable of the environment says yes."""
        return self.environ.get(variable, "").lower() in ("true", "1")


class StaticProvider:
    """Keys that are at hand."""

    def __init__(self, keys: AccessKey) -> None:
        self._keys = keys

    def keys(self, expired: AccessKey | None = None) -> AccessKey | None:
        """The keys."""
        return self._keys


class CachedProvider:
    """Keys that something issues when it is asked, which is done once for all tasks of a run.

    `parts` tell these keys from others that the same thing issues, and `account` stands for the account they are of.
    """

    def __init__(self, context: Context, parts: tuple[str | None, ...], issue: Issue, account: str = "") -> None:
        self._cache = context.cache
        self._identity = digest(*parts)
        self._issue = issue
        self._account = account or self._identity

    def keys(self, expired: AccessKey | None = None) -> AccessKey | None:
        """The keys; None where nothing issues any."""
        return self._cache.keys(self._identity, self._marked, expired)

    def _marked(self) -> AccessKey | None:
        keys = self._issue()
        return replace(keys, identity=self._identity, account=self._account) if keys else None


def fetch_json(
    transport: Transport, what: str, method: str, target: str, headers: dict[str, str], body: bytes = b""
) -> Any:
    """The JSON that a service answers, whose name is `what`; raises CredentialsError for anything else.

    What was answered is never shown, because keys may be in it.
    """
    try:
        answer = transport.send(method, target, headers, body)
    except LiveError as error:
        raise CredentialsError(
            f"No keys from {what}: {error.happened}", "Check that it runs and can be reached."
        ) from None
    if answer.status != STATUS_OK:
        raise CredentialsError(
            f"No keys from {what}: it answered with HTTP status {answer.status}",
            "Check that it is the right address, and that access to it is granted.",
            http_status=answer.status,
        )
    return parsed(answer.body, what)


def parsed(text: bytes | str, what: str) -> Any:
    """JSON; raises CredentialsError, which does not show it."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise CredentialsError(
            f"No keys from {what}: it answered something else", "Check what it is that answers there."
        ) from None


def disabled(what: str, where: str) -> CredentialsError:
    return CredentialsError(
        f"{what} would give the keys of {where}, and ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS is set",
        "Unset it, or use other keys.",
    )
