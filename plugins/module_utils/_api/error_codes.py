# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Error codes of the cloud: their meaning for a recording, their exception class, and their explanation.

Codes are those of the product (both generations of its documentation) and of the RPC gateway. Decisions rest on the
code alone: the HTTP status of one code differs between gateways, and 409 stands for `TaskAlreadyStarted` as well as
for `StreamNotFound`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .._errors import ApiError, ClockWrong, CredentialsExpired, NonceUsed, ServerFault, Throttled

ACCEPTED = "accepted"
ALREADY_STARTED = "already_started"
STREAM_ABSENT = "stream_absent"
CONFIG_ABSENT = "config_absent"
NO_TASK = "no_task"

_MEANINGS = {
    "TaskAlreadyStarted": ALREADY_STARTED,
    "StreamNotFound": STREAM_ABSENT,
    "InvalidStream.NotFound": STREAM_ABSENT,
}

# `CodeConfigNotFound` and `InvalidConfig.NotFound`; the code for a domain without a callback is not documented.
_CONFIG_ABSENT = re.compile(r"\w*Config\.?(NotFound|NotExists?)")

# `CodeTaskNotStarted` and `CodeTaskNotExist` are codes of the product, but no page says that record commands use them;
# the other spellings are guesses at such a code, so that a response of this kind does not become a failure.
_NO_TASK = re.compile(
    r"(Invalid)?(Record)?Task\.?(Already)?(NotStarted|NotFound|NotExists?|NotRunning|Stopped|Finished|Canceled)"
)

# The product publishes many of its codes with this prefix in one generation of its pages and without it in another.
_PREFIX = re.compile(r"Code(?=[A-Z])")


def _strip_prefix(code: str) -> str:
    """Return the code without the prefix `Code`, which the product puts before some codes."""
    prefix = _PREFIX.match(code)
    return code[prefix.end() :] if prefix else code


def recording_meaning(code: str | None) -> str | None:
    """Return the meaning of an error code for a recording, one of the constants above; None if it has none."""
    name = _strip_prefix(code or "")
    if name in _MEANINGS:
        return _MEANINGS[name]
    if _CONFIG_ABSENT.fullmatch(name):
        return CONFIG_ABSENT
    return NO_TASK if _NO_TASK.fullmatch(name) else None


class Explanation(NamedTuple):
    """`happened` completes "... was refused: "; `advice` says what to do.

    `{message}` in the first stands for the server's words, `{action}` in the second for the API operation.
    """

    happened: str
    advice: str


_KEYS = "Check access_key_id and access_key_secret, or the source they come from"
_SUPPORT = "give the RequestId to Alibaba Cloud's support"
_RECORD_COMMAND = "RealTimeRecordCommand"
# The operations whose documentation names the domain as their resource; the others are granted on "*" only.
_ON_THE_DOMAIN = frozenset(
    {
        _RECORD_COMMAND,
        "DescribeLiveRecordNotifyRecords",
        "AddLiveAppRecordConfig",
        "UpdateLiveAppRecordConfig",
        "DeleteLiveAppRecordConfig",
        "DeleteLiveRecordNotifyConfig",
        "DeleteLiveStreamsNotifyUrlConfig",
    }
)
# Whether the cloud pulls a stream on trigger is not known while the stream is absent, so this advice is always given.
PULL_NEEDS_VIEWER = "a triggered pull needs a viewer, because it runs only while somebody watches"
NOT_PUSHED = Explanation(
    "the stream is not being pushed",
    f"Check domain_name, app_name and stream_name, begin the push, or set wait_for_stream; {PULL_NEEDS_VIEWER}.",
)
_BY_MEANING = {
    ALREADY_STARTED: Explanation(
        "the stream is being recorded already", "Stop the recording first, or leave it as it is."
    ),
    STREAM_ABSENT: NOT_PUSHED,
    CONFIG_ABSENT: Explanation(
        "no recording configuration is in effect for the stream",
        "Create one with apsaravideo.live.apsaravideo_record_config or in the console, unless there is one, and push "
        "the stream again: a configuration takes effect at the next push.",
    ),
    NO_TASK: Explanation("the stream is not being recorded", "Start a recording of it first."),
}
_REMOVED_CONFIG = Explanation("the configuration does not exist", "Run the task again, which reads what there is now.")
_NO_SERVICE = "Activate ApsaraVideo Live for the account in the console, and settle any overdue bill."
_DENIED = Explanation(
    "the RAM user or role may not call this operation",
    "Grant it the RAM action live:{action} on {resource}, or use other credentials.",
)
_BAD_PARAMETER = Explanation(
    "a parameter is not valid ({message})", f"Check the option that the parameter belongs to, or {_SUPPORT}."
)
_MISSING_PARAMETER = Explanation(
    "a parameter is missing ({message})", f"Set the option that the parameter belongs to, or {_SUPPORT}."
)
_SERVER_FAILED = Explanation("the cloud failed inside ({message})", f"Run the task again later, or {_SUPPORT}.")
_BAD_DATE = Explanation(
    "the date of the request is not in the form that the cloud takes",
    "Check the option endpoint, and any proxy that changes requests.",
)
_BAD_URL = Explanation(
    "the callback URL is malformed",
    "Give a URL that begins with http:// or https://, and percent-encode Chinese, spaces and special characters in it.",
)
_UNKNOWN_OPERATION = Explanation("this endpoint does not know the operation", "Check the option endpoint.")
_UNKNOWN_VERSION = Explanation("this endpoint does not know the API version", "Check the option endpoint.")
_ON_INGEST_DOMAINS = frozenset(
    {"SetLiveStreamsNotifyUrlConfig", "DescribeLiveStreamsNotifyUrlConfig", "DeleteLiveStreamsNotifyUrlConfig"}
)
_NO_INGEST_DOMAIN = Explanation(
    "the account has no such ingest domain",
    "Give the ingest domain, not the streaming domain, and check that the credentials belong to the account that owns "
    "it, and that endpoint is the one of its region.",
)
# The codes are without the prefix `Code`.
_EXPLANATIONS = {
    "InvalidDomain.NotFound": Explanation(
        "the account has no such streaming domain",
        "Give the main streaming (playback) domain, not the ingest domain, and check that the credentials belong to "
        "the account that owns it, and that endpoint is the one of its region.",
    ),
    "IllegalOperation": Explanation(
        "the account may not operate on this domain",
        "Check the name of the domain, and use credentials of the account that owns it.",
    ),
    "GetMainPlaybackDomainError": Explanation(
        "the cloud found no main streaming domain that belongs to this domain",
        "Give the main streaming (playback) domain, and bind its ingest domain to it in the console.",
    ),
    "GetPushbackDomainError": Explanation(
        "the cloud found no ingest domain that belongs to this domain",
        "Bind an ingest domain to the streaming domain in the console.",
    ),
    "AppNameIsIllegal": Explanation("the name of the application is not valid", "Check app_name."),
    "ConfigAlreadyExists": Explanation(
        "there is a configuration of this kind already", "Run the task again, which changes the one that is there."
    ),
    "InvalidNotifyUrl": _BAD_URL,
    "InvalidOnDemandUrl": _BAD_URL,
    "InvalidNotifyUrl.Unsafe": Explanation(
        "the cloud takes the callback URL for unsafe",
        "Give a URL with a public address, because private and loopback addresses are not called.",
    ),
    "InvalidRegion": Explanation(
        "the region does not support this operation",
        "Set endpoint and region_id to those of the domain's live centre: https://live.ap-southeast-1.aliyuncs.com for "
        "Singapore, https://live.eu-central-1.aliyuncs.com for Frankfurt, https://live.aliyuncs.com elsewhere.",
    ),
    "LiveServiceNotFound": Explanation("the account has not activated ApsaraVideo Live", _NO_SERVICE),
    "InvalidIdentity.ServiceDisabled": Explanation("ApsaraVideo Live is disabled for the account", _NO_SERVICE),
    "Throttling": Explanation(
        "the account's quota of calls for this operation is used up",
        "Run fewer clients of this account at once, or raise retry_timeout.",
    ),
    "SignatureDoesNotMatch": Explanation(
        "the signature does not match, so the access key secret is wrong for this access key id",
        f"{_KEYS}.",
    ),
    "IncompleteSignature": Explanation("the signature is incomplete", f"{_KEYS}, and any proxy that drops headers."),
    "SignatureNonceUsed": Explanation(
        "the cloud has received this request before", "Run the task again, and check any proxy that repeats requests."
    ),
    "InvalidAccessKeyId": Explanation("the access key id is not known or not active", f"{_KEYS}."),
    "InvalidAccessKeySecret": Explanation("the access key secret is wrong", f"{_KEYS}."),
    "InvalidSecurityToken.Expired": Explanation(
        "the security token has expired",
        "Obtain new temporary credentials (id, secret and token together) and run again.",
    ),
    "InvalidSecurityToken": Explanation(
        "the security token does not belong to the access key id",
        "Give the id, secret and token of the same temporary credentials, or no token with a lasting access key.",
    ),
    "MissingSecurityToken": Explanation(
        "the access key is temporary and needs its token", "Give security_token together with the access key."
    ),
    "InvalidTimeStamp": Explanation(
        "the time of this machine differs too much from the cloud's",
        "Set the clock of the machine that runs the task (NTP).",
    ),
    "InvalidTimeStamp.Format": _BAD_DATE,
    "IllegalTimestamp": _BAD_DATE,
    "Forbidden": _DENIED,
    "Forbidden.RAM": _DENIED,
    "NoPermission": _DENIED,
    "Forbidden.RiskControl": Explanation(
        "the cloud's risk control has blocked the account",
        f"Look for notices about the account in the console, or {_SUPPORT}.",
    ),
    "Forbidden.UserVerification": Explanation(
        "the identity of the account's owner is not verified", "Verify it in the console."
    ),
    "InsufficientBalance": Explanation("the account has no balance left", "Settle the account's bill."),
    "InvalidProtocol.NeedSsl": Explanation("the cloud wants TLS", "Use an endpoint that begins with https://."),
    "UnsupportedHTTPMethod": Explanation(
        "this endpoint does not take the HTTP method", "Check the option endpoint, and any proxy in between."
    ),
    "InvalidProduct": Explanation("this endpoint does not serve ApsaraVideo Live", "Check the option endpoint."),
    "InvalidAction": _UNKNOWN_OPERATION,
    "InvalidApi": _UNKNOWN_OPERATION,
    "InvalidVersion": _UNKNOWN_VERSION,
    "NoSuchVersion": _UNKNOWN_VERSION,
    "InternalError": _SERVER_FAILED,
    "InternalFailure": _SERVER_FAILED,
    "UnknownError": _SERVER_FAILED,
    "ServiceUnavailable": _SERVER_FAILED,
    "MalformedParam": _BAD_PARAMETER,
}
_MISSING = re.compile(r"Missing[A-Z]\w*")
_INVALID = re.compile(r"Invalid[A-Z]\w*(\.(Malformed|Format))?")
_NO_REASON = "the cloud gave no reason"
_UNEXPLAINED = Explanation("{message}", f"Look the code up in the API's error table, or {_SUPPORT}.")


def explain(code: str, message: str, action: str) -> Explanation:
    """Return the explanation of a code, with the server's own `message` for an unknown code."""
    words = _find_explanation(code, action)
    resource = "the domain" if action in _ON_THE_DOMAIN else 'the resource "*"'
    return Explanation(
        words.happened.format(message=message or _NO_REASON), words.advice.format(action=action, resource=resource)
    )


def _find_explanation(code: str, action: str) -> Explanation:
    """Return the explanation of a code; that of `InvalidX` counts for an `InvalidX.Y` without one of its own."""
    meaning = recording_meaning(code)
    if meaning == CONFIG_ABSENT and action != _RECORD_COMMAND:
        return _REMOVED_CONFIG
    if meaning:
        return _BY_MEANING[meaning]
    name = _strip_prefix(code)
    if name == "InvalidDomain.NotFound" and action in _ON_INGEST_DOMAINS:
        return _NO_INGEST_DOMAIN
    found = _EXPLANATIONS.get(name)
    if not found and not name.startswith("Forbidden."):  # An unknown one need not be about a right of RAM.
        found = _EXPLANATIONS.get(name.split(".", maxsplit=1)[0])
    if found:
        return found
    if _MISSING.fullmatch(name):
        return _MISSING_PARAMETER
    return _BAD_PARAMETER if _INVALID.fullmatch(name) else _UNEXPLAINED


_THROTTLED = re.compile(r"Throttling(\..*)?|Throttled.*|.*\.Throttling")
_SERVER_FAULT = re.compile(r"(InternalError|InternalFailure|UnknownError|ServiceUnavailable)(\..*)?")
TOO_MANY_REQUESTS = 429
_FIRST_SERVER_STATUS = 500


def classify_error(code: str, http_status: int) -> type[ApiError]:
    """Return the exception class of an error code; the HTTP status counts only for an unknown code."""
    if _THROTTLED.fullmatch(code):
        return Throttled
    if code == "SignatureNonceUsed":
        return NonceUsed
    if code == "InvalidTimeStamp.Expired":
        return ClockWrong
    if code == "InvalidSecurityToken.Expired":
        return CredentialsExpired
    if _SERVER_FAULT.fullmatch(code):
        return ServerFault
    if recording_meaning(code) is None and _strip_prefix(code) not in _EXPLANATIONS:
        if http_status == TOO_MANY_REQUESTS:
            return Throttled
        if http_status >= _FIRST_SERVER_STATUS:
            return ServerFault
    return ApiError
