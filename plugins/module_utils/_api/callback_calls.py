# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations for the callbacks of domains as typed calls."""

from __future__ import annotations

from typing import Any

from .._errors import ApiError
from .client import Client
from .error_codes import CONFIG_ABSENT, recording_meaning
from .models import NotifyConfig
from .operations import (
    ADD_NOTIFY_CONFIG,
    DELETE_NOTIFY_CONFIG,
    DELETE_STREAM_NOTIFY_CONFIG,
    NOTIFY_CONFIG,
    SET_STREAM_NOTIFY_CONFIG,
    STREAM_NOTIFY_CONFIG,
    UPDATE_NOTIFY_CONFIG,
    Operation,
)
from .rows import (
    build_notify_parameters,
    build_stream_notify_parameters,
    parse_notify_config,
    parse_stream_notify_config,
)


class CallbackCalls:
    """Calls for the callbacks of the domains of one account. Each method makes one API call, plus retries."""

    def __init__(self, client: Client, region_id: str | None = None) -> None:
        self.client = client
        self._common = {"RegionId": region_id} if region_id else {}

    def notify_config(self, domain_name: str) -> NotifyConfig | None:
        """Return the recording callback of a domain, None without one, read with DescribeLiveRecordNotifyConfig."""
        return parse_notify_config(domain_name, self._read_notify_config(NOTIFY_CONFIG, domain_name))

    def _read_notify_config(self, operation: Operation, domain_name: str) -> dict[str, Any] | None:
        """Return the object that describes a callback, None or an empty one without a callback.

        The response for a domain without one is not documented: it may be an error or an empty object.
        """
        try:
            response = self.client.call(operation, {**self._common, "DomainName": domain_name})
        except ApiError as error:
            if recording_meaning(error.code) == CONFIG_ABSENT:
                return None
            raise
        found: dict[str, Any] | None = response.content[str(operation.field)]
        return found

    def add_notify_config(self, config: NotifyConfig) -> None:
        """Add a recording callback with AddLiveRecordNotifyConfig."""
        self._send_notify_config(ADD_NOTIFY_CONFIG, config, build_notify_parameters(config))

    def update_notify_config(self, config: NotifyConfig) -> None:
        """Replace a recording callback with UpdateLiveRecordNotifyConfig; a setting left out may be reset, or stay."""
        self._send_notify_config(UPDATE_NOTIFY_CONFIG, config, build_notify_parameters(config))

    def _send_notify_config(self, operation: Operation, config: NotifyConfig, parameters: dict[str, str]) -> None:
        if config.auth_key:
            self.client.redactor.learn(config.auth_key)  # The cloud may quote the one that it has.
        self.client.call(operation, {**self._common, **parameters})

    def delete_notify_config(self, config: NotifyConfig) -> None:
        """Delete a recording callback with DeleteLiveRecordNotifyConfig."""
        names = {"DomainName": config.settings["domain_name"]}
        self.client.call(DELETE_NOTIFY_CONFIG, {**self._common, **names})

    def stream_notify_config(self, domain_name: str) -> NotifyConfig | None:
        """Return the ingest callback of an ingest domain, None without one.

        It is read with DescribeLiveStreamsNotifyUrlConfig, which does not show the URL for switches.
        """
        return parse_stream_notify_config(domain_name, self._read_notify_config(STREAM_NOTIFY_CONFIG, domain_name))

    def set_stream_notify_config(self, config: NotifyConfig, switch_notify_url: str | None) -> None:
        """Add or replace an ingest callback with SetLiveStreamsNotifyUrlConfig.

        A URL that is left out may be reset, or stay.
        """
        parameters = build_stream_notify_parameters(config, switch_notify_url)
        self._send_notify_config(SET_STREAM_NOTIFY_CONFIG, config, parameters)

    def delete_stream_notify_config(self, config: NotifyConfig) -> None:
        """Delete an ingest callback with DeleteLiveStreamsNotifyUrlConfig."""
        names = {"DomainName": config.settings["domain_name"]}
        self.client.call(DELETE_STREAM_NOTIFY_CONFIG, {**self._common, **names})
