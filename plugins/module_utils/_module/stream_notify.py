# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options and the operation of the module apsaravideo_stream_notify."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._api import ingest_notify
from .._api.live import Live
from .._api.models import INGEST_AUTH_KEY, NotifyConfig, check_domain
from .._domain import reconcile
from .._domain.reconcile import ADD, DELETE, REPLACE, UPDATE, Change
from .._errors import InvalidOption
from . import argspec, record_notify
from .record_notify import check_url
from .task import Task

URLS = ("notify_url", "exception_url", "switch_url")
SPEC = argspec.Spec(
    {
        "state": record_notify.SPEC.options["state"],
        **argspec.DOMAIN,
        **{name: {"type": "str"} for name in URLS},
        "auth_key": record_notify.SPEC.options["auth_key"],
        "update_auth_key": record_notify.SPEC.options["update_auth_key"],
        **argspec.CONNECTION,
    }
)


class Present(record_notify.Present):
    """Callbacks of an ingest domain that should exist."""

    def __init__(self, live: Live, options: Mapping[str, Any]) -> None:
        self._live = live
        self._domain_name = options["domain_name"]
        self._auth_key = options["auth_key"] or None
        self._sends_key = options["update_auth_key"] == "always"
        urls = {name: options[name] or None for name in URLS if options[name] is not None}
        self._desired = {**urls, "signed": self._auth_key is not None}

    def read(self) -> NotifyConfig | None:
        return ingest_notify.read_config(self._live, self._domain_name)

    def add(self, config: NotifyConfig) -> None:
        # Callbacks that are restored may have had a key that the cloud did not show.
        ingest_notify.set_config(self._live, config._replace(auth_key=config.auth_key or self._auth_key))

    def update(self, config: NotifyConfig) -> None:
        ingest_notify.set_config(self._live, config)

    def delete(self, config: NotifyConfig) -> None:
        ingest_notify.delete_config(self._live, self._domain_name)

    def plan(self, found: NotifyConfig | None) -> Change | None:
        before = found.settings if found else {"domain_name": self._domain_name, **dict.fromkeys(URLS), "signed": False}
        settings = self._merge(before)
        if found and self._is_same(settings, before) and not (self._sends_key and self._find_key_problem(found)):
            return None
        if not any(settings[name] for name in URLS):
            raise InvalidOption(
                f"There would be no callback of {self._domain_name}",
                "Give notify_url, exception_url or switch_url, or set state=absent.",
            )
        config = NotifyConfig(settings, self._auth_key)
        if found is None:
            return Change(ADD, config)
        # Whether a call removes a URL that it lacks is not documented.
        if any(before[name] and not settings[name] for name in URLS):
            return Change(REPLACE, config)
        return Change(UPDATE, config)

    def list_differences(self, found: NotifyConfig | None) -> list[str]:
        if found is None:
            return ["state"]
        settings = self._merge(found.settings)
        names = [name for name in settings if not self._is_same({name: settings[name]}, {name: found.settings[name]})]
        return names + (["auth_key"] if found.auth_key and self._find_key_problem(found) else [])

    def _merge(self, settings: dict[str, Any]) -> dict[str, Any]:
        return {**settings, **self._desired}

    def _is_same(self, desired: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
        """Return whether settings are equal, as far as the cloud shows them: it may not show `switch_url`."""
        return all(
            value == found[name] or (name == "switch_url" and found[name] is None) for name, value in desired.items()
        )


class Absent(Present):
    """Callbacks of an ingest domain that should not exist."""

    def plan(self, found: NotifyConfig | None) -> Change | None:
        return Change(DELETE, None) if found else None

    def list_differences(self, found: NotifyConfig | None) -> list[str]:
        return ["state"] if found else []

    def list_warnings(self, outcome: reconcile.Outcome) -> list[str]:
        return []


def operate(task: Task) -> dict[str, Any]:
    """Create, change or remove the callbacks of an ingest domain, and return the result; raise LiveError."""
    options = task.options
    check_domain(options["domain_name"])
    present = options["state"] == "present"
    if present:
        _check(options)
    resource = (Present if present else Absent)(task.open_live(), options)
    outcome = reconcile.predict(resource) if task.check_mode else reconcile.apply(resource)
    task.warnings += resource.list_warnings(outcome)
    if not task.check_mode:
        task.warnings += reconcile.verification_warnings(resource, outcome)
    return {**reconcile.make_result(resource, outcome), "replaced": outcome.replaced}


def _check(options: Mapping[str, Any]) -> None:
    """Raise InvalidOption for options that the service would refuse."""
    for name in URLS:
        if options[name]:
            check_url(name, options[name])
    if options["auth_key"] and not INGEST_AUTH_KEY.fullmatch(options["auth_key"]):
        raise InvalidOption("The option auth_key is not a valid key", "Give 16 to 64 letters and digits.")
