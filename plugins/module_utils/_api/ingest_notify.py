# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callbacks of an ingest domain as typed calls."""

from __future__ import annotations

from .._errors import ApiError
from .error_codes import CONFIG_ABSENT, recording_meaning
from .live import Live
from .models import NotifyConfig
from .operations import DELETE_INGEST_NOTIFY_CONFIG, INGEST_NOTIFY_CONFIG, SET_INGEST_NOTIFY_CONFIG
from .rows import build_ingest_notify_parameters, parse_ingest_notify_config


def read_config(live: Live, domain_name: str) -> NotifyConfig | None:
    """Return the callbacks of an ingest domain, None without any, read with DescribeLiveStreamsNotifyUrlConfig.

    The response for a domain without any is not documented: it may be an error or an empty object.
    """
    try:
        response = live.call(INGEST_NOTIFY_CONFIG, {"DomainName": domain_name})
    except ApiError as error:
        if recording_meaning(error.code) == CONFIG_ABSENT:
            return None
        raise
    return parse_ingest_notify_config(domain_name, response.content["LiveStreamsNotifyConfig"])


def set_config(live: Live, config: NotifyConfig) -> None:
    """Set all callbacks of an ingest domain with SetLiveStreamsNotifyUrlConfig.

    It is not documented whether those that are left out are reset.
    """
    if config.auth_key:
        live.client.redactor.learn(config.auth_key)  # The cloud may quote the one that it has.
    live.call(SET_INGEST_NOTIFY_CONFIG, build_ingest_notify_parameters(config))


def delete_config(live: Live, domain_name: str) -> None:
    """Delete the callbacks of an ingest domain with DeleteLiveStreamsNotifyUrlConfig."""
    live.call(DELETE_INGEST_NOTIFY_CONFIG, {"DomainName": domain_name})
