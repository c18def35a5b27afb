# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The protocol of all credentials providers, and their common parts.

A provider returns None if it has no credentials, so that the next one of the chain is tried. It raises CredentialsError
if it has some that cannot be used: a mistake in one provider never leads to the credentials of another.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from .._api.access_key import AccessKey, digest
from .._api.account import Limits
from .._api.redactor import Redactor
from .._api.traffic import Traffic
from .._errors import CredentialsError, LiveError
from .._http.endpoint import Settings
from .._http.transport import Transport
from .._util.clock import Clock
from .cache import CredentialsCache, Fetch

STATUS_OK = 200


class Provider(Protocol):
    """A provider of credentials."""

    def get_access_key(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Return the access key, if possible not the `expired` one, or None if there is none.

        Raises CredentialsError.
        """


class Context(NamedTuple):
    """The inputs and services that the providers of one task share. `settings` are those of the connection to the API.

    `warn` takes a warning for the user.
    """

    options: Mapping[str, Any]
    environ: Mapping[str, str]
    settings: Settings
    limits: Limits
    clock: Clock
    traffic: Traffic
    cache: CredentialsCache
    warn: Callable[[str], None]
    redactor: Redactor | None = None

    def lookup(self, option: str, *variables: str) -> Any:
        """Return the value of the option, else of the first environment variable that is set, else None."""
        values = (self.environ[name] for name in variables if self.environ.get(name))
        return self.options.get(option) or next(values, None)

    def is_true(self, variable: str) -> bool:
        """Return whether an environment variable is set to `true` or `1`."""
        return self.environ.get(variable, "").lower() in ("true", "1")


class StaticProvider:
    """A provider of an access key that is known already."""

    def __init__(self, access_key: AccessKey) -> None:
        self._access_key = access_key

    def get_access_key(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Return the access key, even if it has expired, as there is no other."""
        return self._access_key


class CachedProvider:
    """A provider that fetches temporary credentials once for all tasks of a run.

    `parts` identify these credentials in the cache; the requests of one `account` share its quota.
    """

    def __init__(self, context: Context, parts: tuple[str | None, ...], fetch: Fetch, account: str = "") -> None:
        self._cache = context.cache
        self._identity = digest(*parts)
        self._fetch = fetch
        self._account = account or self._identity

    def get_access_key(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Return the access key from the cache, or a new one; None if none can be fetched."""
        return self._cache.get_or_fetch(self._identity, self._fetch_identified, expired)

    def _fetch_identified(self) -> AccessKey | None:
        access_key = self._fetch()
        return replace(access_key, identity=self._identity, account=self._account) if access_key else None


def fetch_json(
    transport: Transport, service: str, method: str, target: str, headers: dict[str, str], body: bytes = b""
) -> Any:
    """Send a request and return the JSON of its response; raises CredentialsError for anything else.

    `service` is the name for error messages, which never quote the response, because it may contain secrets.
    """
    try:
        response = transport.send(method, target, headers, body)
    except LiveError as error:
        raise CredentialsError(
            f"No credentials from {service}: {error.happened}", "Check that it runs and can be reached."
        ) from None
    if response.status != STATUS_OK:
        raise CredentialsError(
            f"No credentials from {service}: it answered with HTTP status {response.status}",
            "Check that it is the right address, and that access to it is granted.",
            http_status=response.status,
        )
    return load_json(response.body, service)


def load_json(text: bytes | str, service: str) -> Any:
    """Parse the JSON of a service; raises CredentialsError, which does not quote it."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise CredentialsError(
            f"No credentials from {service}: it answered something else", "Check what it is that answers there."
        ) from None


def disabled_error(kind: str, origin: str) -> CredentialsError:
    """Return the error for a kind of provider that the environment disables."""
    return CredentialsError(
        f"{kind} would give the credentials of {origin}, and ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS is set",
        "Unset it, or use other credentials.",
    )
