# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ingest callbacks as the API shows them, and as they are sent to it."""

from __future__ import annotations

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api import rows
from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import NotifyConfig

DOMAIN = "push.example.com"
URL, OTHER_URL = "https://callback.example.com/push", "https://callback.example.com/exception"
LONG_KEY = "0123456789abcdef" * 4


def settings(url=URL, exception_url=None, signed=False):
    return {"domain_name": DOMAIN, "notify_url": url, "exception_notify_url": exception_url, "signed": signed}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (None, None),
        ({}, None),
        ({"DomainName": DOMAIN, "NotifyUrl": "", "ExceptionNotifyUrl": "", "NotifyReqAuth": "no"}, None),
        ({"NotifyUrl": 5, "ExceptionNotifyUrl": ["x"]}, None),
        ({"NotifyUrl": URL}, (settings(), None)),
        ({"NotifyUrl": "", "ExceptionNotifyUrl": OTHER_URL}, (settings(None, OTHER_URL), None)),
        (
            {"NotifyUrl": URL, "ExceptionNotifyUrl": OTHER_URL, "NotifyReqAuth": "yes", "NotifyAuthKey": LONG_KEY},
            (settings(URL, OTHER_URL, True), LONG_KEY),
        ),
        ({"NotifyUrl": URL, "NotifyReqAuth": "yes", "NotifyAuthKey": LONG_KEY + "0"}, (settings(signed=True), None)),
        ({"NotifyUrl": URL, "NotifyReqAuth": "yes", "NotifyAuthKey": "*" * 16}, (settings(signed=True), None)),
        ({"NotifyUrl": URL, "NotifyReqAuth": "yes"}, (settings(signed=True), None)),
        ({"NotifyUrl": URL, "NotifyReqAuth": "no", "NotifyAuthKey": LONG_KEY}, (settings(), None)),
    ],
)
def test_ingest_callbacks_are_parsed(row, expected):
    assert rows.parse_stream_notify_config(DOMAIN, row) == expected


def test_a_recording_callback_has_no_key_of_more_than_32_characters():
    row = {"NotifyUrl": URL, "NotifyReqAuth": True}
    for length, shown in ((32, True), (33, False)):
        found = rows.parse_notify_config(DOMAIN, {**row, "NotifyAuthKey": LONG_KEY[:length]})
        assert (found.auth_key is not None) is shown


@pytest.mark.parametrize(
    ("config", "switch_url", "expected"),
    [
        (NotifyConfig(settings(), None), None, {"NotifyUrl": URL, "NotifyReqAuth": "no"}),
        (NotifyConfig(settings(), LONG_KEY), None, {"NotifyUrl": URL, "NotifyReqAuth": "no"}),
        (
            NotifyConfig(settings(None, OTHER_URL, True), LONG_KEY),
            URL,
            {
                "ExceptionNotifyUrl": OTHER_URL,
                "SwitchNotifyUrl": URL,
                "NotifyReqAuth": "yes",
                "NotifyAuthKey": LONG_KEY,
            },
        ),
    ],
)
def test_ingest_callbacks_are_sent_without_values_that_are_not_set(config, switch_url, expected):
    assert rows.build_stream_notify_parameters(config, switch_url) == {"DomainName": DOMAIN, **expected}
