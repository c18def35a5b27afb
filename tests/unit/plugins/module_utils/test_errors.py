# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Error codes: what they mean, what is worth a retry, and the words for them."""

from __future__ import annotations

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils import _errors as errors


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("TaskAlreadyStarted", errors.ALREADY_STARTED),
        ("StreamNotFound", errors.STREAM_ABSENT),
        ("InvalidStream.NotFound", errors.STREAM_ABSENT),
        ("CodeConfigNotFound", errors.CONFIG_ABSENT),
        ("InvalidConfig.NotFound", errors.CONFIG_ABSENT),
        ("ConfigNotFound", errors.CONFIG_ABSENT),
        ("LiveRecordNotifyConfigNotFound", errors.CONFIG_ABSENT),
        ("InvalidNotifyConfig.NotExist", errors.CONFIG_ABSENT),
        ("CodeConfigAlreadyExists", None),
        ("InvalidConfig.NotFound.Not", None),
        ("TaskNotStarted", errors.NO_TASK),
        ("TaskAlreadyStopped", errors.NO_TASK),
        ("InvalidTask.NotFound", errors.NO_TASK),
        ("RecordTaskNotExist", errors.NO_TASK),
        ("InvalidDomain.NotFound", None),
        ("TaskAlreadyStartedElsewhere", None),
        ("NotFound", None),
        ("", None),
        (None, None),
    ],
)
def test_meaning(code, expected):
    assert errors.meaning(code) == expected


@pytest.mark.parametrize(
    ("code", "status", "kind", "retryable", "unknown"),
    [
        ("Throttling", 400, errors.Throttled, True, False),
        ("Throttling.User", 429, errors.Throttled, True, False),
        ("Throttling.Api", 400, errors.Throttled, True, False),
        ("ServiceUnavailable", 503, errors.ServerFault, True, True),
        ("InternalError", 500, errors.ServerFault, True, True),
        ("SomethingNew", 500, errors.ServerFault, True, True),
        ("SomethingNew", 400, errors.ApiError, False, False),
        ("SignatureNonceUsed", 400, errors.NonceUsed, True, True),
        ("StreamNotFound", 409, errors.ApiError, False, False),
        ("TaskAlreadyStarted", 500, errors.ApiError, False, False),
        ("SignatureDoesNotMatch", 400, errors.ApiError, False, False),
    ],
)
def test_class(code, status, kind, retryable, unknown):
    found = errors.error_class(code, status)
    assert found is kind
    assert (found.retryable, found.outcome_unknown) == (retryable, unknown)


def test_the_words_hold_code_request_id_and_advice():
    error = errors.ApiError("start of x was refused: no", "Do this.", code="C.D", request_id="R", http_status=400)
    assert str(error) == "start of x was refused: no (C.D, RequestId R). Do this."
    assert str(errors.CredentialsError("No keys", "Set some.")) == "No keys. Set some."


@pytest.mark.parametrize("code", ["StreamNotFound", "InvalidStream.NotFound", "Throttling.User", "Forbidden.RAM"])
def test_known_codes_have_words_of_their_own(code):
    found = errors.explain(code, "server's words", "SomeAction")
    assert "server's words" not in found.happened
    assert found.advice.endswith(".") and "{" not in found.advice


def test_unknown_codes_keep_the_server_s_words():
    assert errors.explain("New.Code", "server's words", "SomeAction").happened == "server's words"
    assert errors.explain("New.Code", "", "SomeAction").happened


def test_a_denial_names_the_action_to_grant():
    assert "live:RealTimeRecordCommand" in errors.explain("NoPermission", "", "RealTimeRecordCommand").advice
