# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Error codes: what they mean, what is worth a retry, and the words for them."""

from __future__ import annotations

import re

import pytest

from ansible_collections.apsaravideo.live.plugins.doc_fragments.connection import ModuleDocFragment
from ansible_collections.apsaravideo.live.plugins.module_utils import _errors as errors
from ansible_collections.apsaravideo.live.plugins.module_utils._api import error_codes


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("TaskAlreadyStarted", error_codes.ALREADY_STARTED),
        ("StreamNotFound", error_codes.STREAM_ABSENT),
        ("InvalidStream.NotFound", error_codes.STREAM_ABSENT),
        ("CodeConfigNotFound", error_codes.CONFIG_ABSENT),
        ("InvalidConfig.NotFound", error_codes.CONFIG_ABSENT),
        ("ConfigNotFound", error_codes.CONFIG_ABSENT),
        ("LiveRecordNotifyConfigNotFound", error_codes.CONFIG_ABSENT),
        ("InvalidNotifyConfig.NotExist", error_codes.CONFIG_ABSENT),
        ("CodeTaskAlreadyStarted", error_codes.ALREADY_STARTED),
        ("CodeStreamNotFound", error_codes.STREAM_ABSENT),
        ("CodeInvalidStream.NotFound", error_codes.STREAM_ABSENT),
        ("CodeInvalidConfig.NotFound", error_codes.CONFIG_ABSENT),
        ("CodeTaskNotStarted", error_codes.NO_TASK),
        ("CodeTaskNotExist", error_codes.NO_TASK),
        ("TaskNotExist", error_codes.NO_TASK),
        ("CodeConfigAlreadyExists", None),
        ("CodeCodeTaskNotStarted", None),
        ("Code", None),
        ("InvalidConfig.NotFound.Not", None),
        ("TaskNotStarted", error_codes.NO_TASK),
        ("TaskAlreadyStopped", error_codes.NO_TASK),
        ("InvalidTask.NotFound", error_codes.NO_TASK),
        ("RecordTaskNotExist", error_codes.NO_TASK),
        ("InvalidDomain.NotFound", None),
        ("TaskAlreadyStartedElsewhere", None),
        ("NotFound", None),
        ("", None),
        (None, None),
    ],
)
def test_codes_have_their_meaning_for_a_recording(code, expected):
    assert error_codes.recording_meaning(code) == expected


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
def test_codes_have_their_class(code, status, kind, retryable, unknown):
    found = error_codes.classify_error(code, status)
    assert found is kind
    assert (found.retryable, found.outcome_unknown) == (retryable, unknown)


def test_the_text_of_an_error_contains_code_request_id_and_advice():
    error = errors.ApiError("start of x was refused: no", "Do this.", code="C.D", request_id="R", http_status=400)
    assert str(error) == "start of x was refused: no (C.D, RequestId R). Do this."
    assert str(errors.CredentialsError("No keys", "Set some.")) == "No keys. Set some."


# Code, HTTP status, class, words for what happened and for what to do; the server says "server's words".
CODES = [
    # Record commands and what surrounds them
    ("CodeTaskNotStarted", 400, errors.ApiError, "is not being recorded", "Start a recording"),
    ("CodeTaskNotExist", 400, errors.ApiError, "is not being recorded", "Start a recording"),
    ("TaskAlreadyStarted", 409, errors.ApiError, "is being recorded already", "Stop the recording"),
    ("CodeTaskAlreadyStarted", 400, errors.ApiError, "is being recorded already", "Stop the recording"),
    ("StreamNotFound", 409, errors.ApiError, "is not being pushed", "wait_for_stream; a triggered pull needs"),
    ("InvalidStream.NotFound", 404, errors.ApiError, "is not being pushed", "wait_for_stream; a triggered pull needs"),
    ("CodeStreamNotFound", 400, errors.ApiError, "is not being pushed", "wait_for_stream; a triggered pull needs"),
    ("CodeConfigNotFound", 400, errors.ApiError, "no recording configuration is in effect", "push the stream again"),
    ("InvalidConfig.NotFound", 404, errors.ApiError, "no recording configuration is in effect", "push the stream"),
    ("ConfigNotFound", 400, errors.ApiError, "no recording configuration is in effect", "push the stream again"),
    # Domains, regions and the account
    ("InvalidDomain.NotFound", 404, errors.ApiError, "no such streaming domain", "streaming (playback) domain"),
    ("IllegalOperation", 403, errors.ApiError, "may not operate on this domain", "account that owns it"),
    ("CodeGetMainPlaybackDomainError", 400, errors.ApiError, "no main streaming domain", "bind its ingest domain"),
    ("CodeGetPushbackDomainError", 400, errors.ApiError, "no ingest domain", "Bind an ingest domain"),
    ("InvalidRegion", 400, errors.ApiError, "region does not support", "https://live.ap-southeast-1.aliyuncs.com"),
    ("LiveServiceNotFound", 400, errors.ApiError, "has not activated ApsaraVideo Live", "Activate ApsaraVideo Live"),
    ("InvalidIdentity.ServiceDisabled", 400, errors.ApiError, "is disabled for the account", "overdue bill"),
    ("InsufficientBalance", 400, errors.ApiError, "no balance", "Settle"),
    # Configurations
    ("CodeConfigAlreadyExists", 400, errors.ApiError, "there is a configuration", "Run the task again"),
    ("ConfigAlreadyExists", 400, errors.ApiError, "there is a configuration", "Run the task again"),
    ("CodeAppNameIsIllegal", 400, errors.ApiError, "name of the application", "app_name"),
    ("InvalidNotifyUrl.Malformed", 400, errors.ApiError, "callback URL is malformed", "percent-encode"),
    ("InvalidNotifyUrl.Unsafe", 400, errors.ApiError, "callback URL for unsafe", "public address"),
    # Parameters: the server's words name them
    ("InvalidParam", 400, errors.ApiError, "not valid (server's words)", "Check the option"),
    ("MalformedParam", 400, errors.ApiError, "not valid (server's words)", "Check the option"),
    ("InvalidParameter", 400, errors.ApiError, "not valid (server's words)", "Check the option"),
    ("InvalidParameter.Format", 400, errors.ApiError, "not valid (server's words)", "Check the option"),
    ("InvalidEndTime.Malformed", 400, errors.ApiError, "not valid (server's words)", "Check the option"),
    ("InvalidCommand", 400, errors.ApiError, "not valid (server's words)", "Check the option"),
    ("MissingParam", 400, errors.ApiError, "missing (server's words)", "Set the option"),
    ("MissingParameter", 400, errors.ApiError, "missing (server's words)", "Set the option"),
    ("MissingDomainName", 400, errors.ApiError, "missing (server's words)", "Set the option"),
    ("MissingAppName", 400, errors.ApiError, "missing (server's words)", "Set the option"),
    ("MissingStreamName", 400, errors.ApiError, "missing (server's words)", "Set the option"),
    ("MissingCommand", 400, errors.ApiError, "missing (server's words)", "Set the option"),
    # Rights
    ("Forbidden", 400, errors.ApiError, "may not call this operation", "live:RealTimeRecordCommand"),
    ("Forbidden", 401, errors.ApiError, "may not call this operation", "live:RealTimeRecordCommand"),
    ("Forbidden", 403, errors.ApiError, "may not call this operation", "live:RealTimeRecordCommand"),
    ("Forbidden.RAM", 403, errors.ApiError, "may not call this operation", "live:RealTimeRecordCommand"),
    ("NoPermission", 403, errors.ApiError, "may not call this operation", "live:RealTimeRecordCommand"),
    ("Forbidden.RiskControl", 403, errors.ApiError, "risk control", "notices"),
    ("Forbidden.UserVerification", 403, errors.ApiError, "is not verified", "Verify it"),
    # The gateway
    ("Throttling", 400, errors.Throttled, "quota of calls", "retry_timeout"),
    ("Throttling", 429, errors.Throttled, "quota of calls", "retry_timeout"),
    ("Throttling.User", 400, errors.Throttled, "quota of calls", "retry_timeout"),
    ("Throttling.Api", 429, errors.Throttled, "quota of calls", "retry_timeout"),
    ("ServiceUnavailable", 503, errors.ServerFault, "failed inside (server's words)", "Run the task again later"),
    ("InternalError", 500, errors.ServerFault, "failed inside (server's words)", "Run the task again later"),
    ("InternalFailure", 500, errors.ServerFault, "failed inside (server's words)", "Run the task again later"),
    ("UnknownError", 500, errors.ServerFault, "failed inside (server's words)", "Run the task again later"),
    ("SignatureDoesNotMatch", 400, errors.ApiError, "signature does not match", "access_key_secret"),
    ("SignatureDoesNotMatch", 403, errors.ApiError, "signature does not match", "access_key_secret"),
    ("IncompleteSignature", 400, errors.ApiError, "signature is incomplete", "drops headers"),
    ("SignatureNonceUsed", 400, errors.NonceUsed, "received this request before", "repeats requests"),
    ("InvalidAccessKeyId.NotFound", 404, errors.ApiError, "access key id is not known", "access_key_id"),
    ("InvalidAccessKeyId.NotFound", 400, errors.ApiError, "access key id is not known", "access_key_id"),
    ("InvalidAccessKeyId.Inactive", 400, errors.ApiError, "not active", "access_key_id"),
    ("InvalidAccessKeySecret", 400, errors.ApiError, "secret is wrong", "access_key_secret"),
    ("InvalidSecurityToken.Expired", 400, errors.CredentialsExpired, "has expired", "Obtain new"),
    ("InvalidSecurityToken.Malformed", 400, errors.ApiError, "does not belong", "same temporary credentials"),
    (
        "InvalidSecurityToken.MismatchWithAccessKey",
        400,
        errors.ApiError,
        "does not belong",
        "same temporary credentials",
    ),
    ("MissingSecurityToken", 400, errors.ApiError, "needs its token", "security_token"),
    ("InvalidTimeStamp.Expired", 400, errors.ClockWrong, "differs too much", "NTP"),
    ("InvalidTimeStamp.Format", 400, errors.ApiError, "date of the request", "proxy"),
    ("IllegalTimestamp", 400, errors.ApiError, "date of the request", "proxy"),
    ("InvalidApi.NotFound", 404, errors.ApiError, "does not know the operation", "endpoint"),
    ("InvalidAction.NotFound", 404, errors.ApiError, "does not know the operation", "endpoint"),
    ("InvalidAction", 403, errors.ApiError, "does not know the operation", "endpoint"),
    ("NoSuchVersion", 400, errors.ApiError, "does not know the API version", "endpoint"),
    ("NoSuchVersion", 404, errors.ApiError, "does not know the API version", "endpoint"),
    ("InvalidVersion", 400, errors.ApiError, "does not know the API version", "endpoint"),
    ("InvalidProduct.NotFound", 404, errors.ApiError, "does not serve ApsaraVideo Live", "endpoint"),
    ("InvalidProtocol.NeedSsl", 404, errors.ApiError, "wants TLS", "https://"),
    ("UnsupportedHTTPMethod", 403, errors.ApiError, "HTTP method", "proxy"),
    ("UnsupportedHTTPMethod", 400, errors.ApiError, "HTTP method", "proxy"),
]


@pytest.mark.parametrize(("code", "status", "kind", "happened", "advice"), CODES, ids=lambda value: str(value)[:30])
def test_each_code_has_its_class_and_explanation(code, status, kind, happened, advice):
    assert error_codes.classify_error(code, status) is kind
    found = error_codes.explain(code, "server's words", "RealTimeRecordCommand")
    assert happened in found.happened and advice in found.advice
    assert ("server's words" in found.happened) == ("server's words" in happened)
    assert found.happened[-1] != "." and found.advice[-1] == "." and "{" not in "".join(found)


@pytest.mark.parametrize("code", ["New.Code", "CodeGroupSomething", "Forbidden.Something", "Missing", "InvalidX.Y"])
def test_unknown_codes_are_explained_by_the_server_s_message(code):
    assert error_codes.explain(code, "server's {words}", "SomeAction").happened == "server's {words}"
    assert error_codes.explain(code, "", "SomeAction").happened == "the cloud gave no reason"


@pytest.mark.parametrize("code", ["CodeConfigNotFound", "InvalidConfig.NotFound"])
def test_only_for_a_record_command_an_absent_configuration_is_a_recording_configuration(code):
    found = error_codes.explain(code, "", "DeleteLiveRecordNotifyConfig")
    assert found.happened == "the configuration does not exist" and "push" not in found.advice


def test_an_unknown_domain_is_explained_as_an_ingest_domain_where_one_is_needed():
    for action, kind in (("SetLiveStreamsNotifyUrlConfig", "ingest"), ("AddLiveRecordNotifyConfig", "streaming")):
        found = error_codes.explain("InvalidDomain.NotFound", "", action)
        assert found.happened == f"the account has no such {kind} domain"


@pytest.mark.parametrize("code", ["Forbidden", "Forbidden.RAM", "NoPermission"])
@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("RealTimeRecordCommand", "the domain"),
        ("DescribeLiveRecordNotifyRecords", "the domain"),
        ("AddLiveAppRecordConfig", "the domain"),
        ("UpdateLiveAppRecordConfig", "the domain"),
        ("DeleteLiveAppRecordConfig", "the domain"),
        ("DeleteLiveRecordNotifyConfig", "the domain"),
        ("DeleteLiveStreamsNotifyUrlConfig", "the domain"),
        ("DescribeLiveStreamState", 'the resource "*"'),
        ("DescribeLiveStreamsOnlineList", 'the resource "*"'),
        ("DescribeLiveRecordConfig", 'the resource "*"'),
        ("DescribeLiveStreamRecordContent", 'the resource "*"'),
        ("DescribeLiveStreamRecordIndexFiles", 'the resource "*"'),
        ("DescribeLiveRecordNotifyConfig", 'the resource "*"'),
        ("AddLiveRecordNotifyConfig", 'the resource "*"'),
        ("UpdateLiveRecordNotifyConfig", 'the resource "*"'),
        ("DescribeLiveStreamsNotifyUrlConfig", 'the resource "*"'),
        ("SetLiveStreamsNotifyUrlConfig", 'the resource "*"'),
    ],
)
def test_a_denial_names_the_ram_action_and_the_resource_to_grant(code, action, resource):
    expected = f"Grant it the RAM action live:{action} on {resource}, or use other credentials."
    assert error_codes.explain(code, "", action).advice == expected


def test_the_endpoints_of_the_advice_are_those_of_the_documentation():
    (option,) = re.findall(r"(?s)\n  endpoint:\n(.*?)\n  allow_http:", ModuleDocFragment.DOCUMENTATION)
    advice = error_codes.explain("InvalidRegion", "", "RealTimeRecordCommand").advice
    named = re.findall(r"https://[a-z0-9.-]+\.com", advice)
    assert len(named) == 3 and set(named) <= set(re.findall(r"https://[a-z0-9.-]+\.com", option))


def test_shown_text_has_no_control_characters_line_ends_or_hidden_characters():
    steering = ("\x00\x1b\x7f\x9b\n\r\x85", "\u200b\u200d\u200e\u200f\u202a\u202e\u2028\u2029\u2066\u2069\ufeff\udc80")
    for text in steering:
        assert errors.printable(text).isascii() and errors.printable(text).isprintable()
    assert errors.printable("直播\x1b[2J\u202e/a b") == r"直播\x1b[2J\u202e/a b"
    assert errors.printable(errors.printable("a\n")) == r"a\n"
    error = errors.ApiError("was refused\u202e", "Look at \x9b.", code="C\x1b", request_id="R\u200b")
    assert str(error) == r"was refused\u202e (C\x1b, RequestId R\u200b). Look at \x9b."


def test_an_error_with_context_is_a_copy_of_the_same_kind():
    error = errors.Throttled("too many", "Wait.", code="Throttling", request_id="R", retry_after=2.0)
    copied = error.with_context(happened="start of s: too many", action="A", after_lost_response=True)
    assert isinstance(copied, errors.Throttled) and copied.retryable and copied.retry_after == 2.0
    assert str(copied) == "start of s: too many (Throttling, RequestId R). Wait."
    assert copied.action == "A" and copied.after_lost_response
    assert str(error) == "too many (Throttling, RequestId R). Wait."
    assert error.action is None and not error.after_lost_response


def test_an_error_with_another_text_does_not_show_the_first():
    error = errors.ClockWrong("quotes the-secret", "Set it.")
    error.ahead = 3.0
    copied = error.with_context(happened="quotes ********")
    assert copied.ahead == 3.0 and "the-secret" not in f"{copied!r} {copied} {vars(copied)}"


def test_an_unknown_attribute_is_refused_as_context():
    with pytest.raises(AttributeError, match="hapened"):
        errors.ApiError("a", "b").with_context(hapened="c")
