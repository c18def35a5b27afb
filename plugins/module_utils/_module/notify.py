# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shared part of the modules for callbacks: options, URLs, the key, and the changes to the desired state."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from .._api.live import Live
from .._api.models import NotifyConfig, check_domain
from .._domain import reconcile
from .._domain.reconcile import ADD, DELETE, REPLACE, UPDATE, Change, Outcome
from .._errors import InvalidOption
from . import argspec
from .task import Task

ALWAYS = "always"
_ON_CREATE = "on_create"
UPDATE_SECRET: dict[str, Any] = {"type": "str", "choices": [ALWAYS, _ON_CREATE], "default": _ON_CREATE}
OPTIONS: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **argspec.DOMAIN,
    "notify_url": {"type": "str"},
    "auth_key": {"type": "str", "no_log": True},
    "update_auth_key": {**UPDATE_SECRET, "no_log": False},
    **argspec.CONNECTION,
}

# The characters of a URL (RFC 3986). The API's documentation requires all others to be percent-encoded.
_URL = re.compile(r"https?://([\w.~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+", re.ASCII)

_UNSIGNED = "Callbacks were signed, and are not signed without auth_key."
_UNSEEN = "Whether the cloud has this auth_key or another is unknown, because it does not show the key."
_OTHER = "The cloud has another key than auth_key."
_NOT_SENT = " The key was not sent; update_auth_key=always has it sent."
_LATER = (
    "The key counts from the next push of a stream. Callbacks of streams that are being pushed are signed as before, "
    "so receivers should go on accepting these until then."
)
_NO_KNOWN_CHANGE = " The key is sent each time, and a change is reported without knowing that there is one."


class Callback(reconcile.Resource):
    """The callback of a domain, which should exist.

    `kind` names it, and `domain_kind` its domain. `defaults` are the settings of a new one. `urls` are the options with
    a URL; an empty string for that of `removable_url` removes the URL. `auth_key` is the format of a key of
    `key_length` characters.
    """

    kind: ClassVar[str]
    domain_kind: ClassVar[str]
    defaults: ClassVar[dict[str, Any]]
    urls: ClassVar[tuple[str, ...]]
    removable_url: ClassVar[str]
    auth_key: ClassVar[re.Pattern[str]]
    key_length: ClassVar[str]

    def __init__(self, live: Live, options: Mapping[str, Any]) -> None:
        self._live = live
        self._domain_name = options["domain_name"]
        self._auth_key = options["auth_key"] or None
        self._sends_key = options["update_auth_key"] == ALWAYS
        values = {name: options[name] for name in self.defaults if name != "signed"}
        self._desired = {
            **{name: value for name, value in values.items() if value is not None},
            "signed": self._auth_key is not None,
        }

    @classmethod
    def check(cls, options: Mapping[str, Any]) -> None:
        """Raise InvalidOption for options that the service would refuse."""
        for name in cls.urls:
            url = options[name]
            if url or (url is not None and name != cls.removable_url):
                _check_url(name, url)
        key = options["auth_key"]
        if key and not cls.auth_key.fullmatch(key):
            raise InvalidOption("The option auth_key is not a valid key", f"Give {cls.key_length} letters and digits.")

    def may_retry(self) -> bool:
        return self._live.client.may_retry()

    def plan(self, found: NotifyConfig | None) -> Change | None:
        before = found.settings if found else {"domain_name": self._domain_name, **self.defaults}
        settings = self._merge(before)
        if found and settings == before and not self._must_send(found):
            return None
        if not found and not settings["notify_url"]:
            raise InvalidOption(
                f"There is no {self.kind} of {self._domain_name}, and creating it needs notify_url",
                "Give the URL, or correct domain_name if the callback should be there.",
            )
        config = NotifyConfig(settings, self._auth_key)
        if found is None:
            return Change(ADD, config)
        # Whether an update removes a URL that it lacks is not documented.
        if settings[self.removable_url] or not before[self.removable_url]:
            return Change(UPDATE, config)
        self._check_can_restore(found)
        return Change(REPLACE, config)

    def list_differences(self, found: NotifyConfig | None) -> list[str]:
        if found is None:
            return ["state"]
        settings = self._merge(found.settings)
        different = [name for name in settings if settings[name] != found.settings[name]]
        return different + (["auth_key"] if self._find_key_problem(found) == _OTHER else [])

    def render(self, config: NotifyConfig | None) -> dict[str, Any] | None:
        return config.settings if config else None

    def list_warnings(self, outcome: Outcome) -> list[str]:
        """Return warnings about the key: that it is unknown or differs, was not sent, or takes effect later."""
        before = outcome.before
        if before is None:
            return []
        signed, problem = before.settings["signed"], self._find_key_problem(before)
        if self._auth_key is None:
            return [_UNSIGNED] if signed and outcome.changed else []
        if not outcome.changed:
            return [problem + _NOT_SENT] if problem else []
        if signed and not problem:
            return []
        # Another client may have removed the callback since.
        only_key = outcome.after is not None and before.settings == outcome.after.settings
        return [f"{problem}{_NO_KNOWN_CHANGE} {_LATER}" if only_key and problem == _UNSEEN else _LATER]

    def _must_send(self, found: NotifyConfig) -> bool:
        """Return whether to send values that the cloud may not show, although the settings are the desired ones."""
        return self._sends_key and bool(self._find_key_problem(found))

    def _with_key(self, config: NotifyConfig) -> NotifyConfig:
        """Return a callback with the desired key if its own is unknown, as that of one to be restored may be."""
        return config._replace(auth_key=config.auth_key or self._auth_key)

    def _check_can_restore(self, found: NotifyConfig) -> None:
        if found.settings["signed"] and not found.auth_key and not self._auth_key:
            raise InvalidOption(
                f"To take {self.removable_url} away, the callback would have to be removed and created again, but the "
                "cloud does not show its key, so that it could not be put back",
                "Give auth_key, or remove the callback with state=absent and create it with all its options.",
            )

    def _merge(self, settings: dict[str, Any]) -> dict[str, Any]:
        merged = {**settings, **self._desired}
        return {**merged, self.removable_url: merged[self.removable_url] or None}

    def _find_key_problem(self, found: NotifyConfig) -> str:
        """Return why the key in the cloud may not be the desired one; empty if it is, or if no key is desired."""
        if not self._auth_key or not found.settings["signed"] or found.auth_key == self._auth_key:
            return ""
        return _OTHER if found.auth_key else _UNSEEN


class AbsentCallback(Callback):
    """The callback of a domain, which should not exist."""

    @classmethod
    def check(cls, options: Mapping[str, Any]) -> None:
        """Accept all options, because they are ignored."""

    def plan(self, found: NotifyConfig | None) -> Change | None:
        return Change(DELETE, None) if found else None

    def list_differences(self, found: NotifyConfig | None) -> list[str]:
        return ["state"] if found else []

    def list_warnings(self, outcome: Outcome) -> list[str]:
        return []


def manage(task: Task, kind: type[Callback]) -> dict[str, Any]:
    """Create, change or remove a callback as the task's options say, and return the result; raise LiveError."""
    check_domain(task.options["domain_name"], kind.domain_kind)
    kind.check(task.options)
    resource = kind(task.open_live(), task.options)
    outcome = reconcile.predict(resource) if task.check_mode else reconcile.apply(resource)
    task.warnings += resource.list_warnings(outcome)
    if not task.check_mode:
        task.warnings += reconcile.verification_warnings(resource, outcome)
    return {**reconcile.make_result(resource, outcome), "replaced": outcome.replaced}


def _check_url(option: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = bool(_URL.fullmatch(url) and parts.hostname and parts.port != 0)
    except ValueError:
        usable = False
    if not usable:
        raise InvalidOption(
            f"The option {option} is {url!r}, which cannot be called back",
            "Give a full URL that begins with http:// or https://, with spaces and special characters percent-encoded.",
        )
