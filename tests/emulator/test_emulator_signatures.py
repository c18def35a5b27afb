# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verification of requests recorded from the official SDKs, and of changed ones.

The requests were recorded with a fixed nonce and time.
"""

from __future__ import annotations

import dataclasses

import pytest
from apsaravideo_emulator.errors import GatewayError
from apsaravideo_emulator.gateway import parse_request
from apsaravideo_emulator.signatures import HttpRequest, read_claim

KEY_ID, SECRET = "testAccessKeyId", "testAccessKeySecret"
NONCE, DATE = "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "2026-01-02T03:04:05Z"
TOKEN = "CAISfake/Token+with==special&chars"
EMPTY_HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

START = {"AppName": "myapp", "Command": "start", "DomainName": "live.example.com", "StreamName": "stream01"}
STOP = {**START, "Command": "stop"}
CANCEL = {
    "AppName": "my app",
    "Command": "cancel_delay",
    "DomainName": "live.example.com",
    "RegionId": "cn-shanghai",
    "StreamName": "a b*~/+&=%中文",
}
RESTART = {**START, "Command": "restart", "RegionId": "ap-southeast-1", "StreamName": "直播-1_2.3~x"}
LEGACY = {"SignatureType": "", "RegionId": "cn-shanghai", "Format": "JSON"}

V1_VECTORS = {
    "current SDK, start": ("POST", START, {}, "mzS8a2puHG0a21x7MJDumj6ms7I="),
    "current SDK, stop, token": ("POST", STOP, {"SecurityToken": TOKEN}, "tp6bJuxJt78GJRhf5YzbQtgdsxs="),
    "current SDK, special": ("POST", CANCEL, {}, "OuIm4CuUVGA3S5g9MjEBm1/Ej5Q="),
    "current SDK, Chinese, token": ("POST", RESTART, {"SecurityToken": TOKEN}, "LxoNPgPVPPeRktENbk06E174p5Y="),
    "GET, start": ("GET", START, {"Format": "JSON"}, "IUILClxhzhkPeEJ0dfkVlH8yzTg="),
    "GET, stop, token": ("GET", STOP, {"Format": "JSON", "SecurityToken": TOKEN}, "9DRBpbvG8XVNgb3dqbkapN91pg8="),
    "GET, special": ("GET", CANCEL, {"Format": "JSON"}, "ii+HcOgYuXvc+PHrHx1JzAAn7W4="),
    "legacy SDK, start": ("POST", START, LEGACY, "n3CTeA2aM3UwSbfm9gi2CX+RXCA="),
    "legacy SDK, stop, token": ("POST", STOP, {**LEGACY, "SecurityToken": TOKEN}, "ZvcI7mpa/tF5G1QL7r6/VBgqoq0="),
    "legacy SDK, special": ("POST", CANCEL, LEGACY, "Rv7/99pakvEGPNHXDyQE/+NSyvs="),
}

AGENT = "AlibabaCloud (Linux; x86_64) Python/3.11.7 Core/0.4.3 TeaDSL/2"
SDK = {"accept": "application/json", "user-agent": AGENT, "x-acs-credentials-provider": "static_ak"}
SDK_TOKEN = {**SDK, "x-acs-credentials-provider": "static_sts", "x-acs-accesskey-id": KEY_ID}
WITH_TOKEN = {"x-acs-security-token": TOKEN}

ACS3_VECTORS = {
    "minimal, start": (START, {}, "147954acc343203c9f49838137c49ac365b9b82e6bd1f71e088965fdfd72dffe"),
    "minimal, stop, token": (STOP, WITH_TOKEN, "12b90d696b51e7b60f75a2f1fab0e56fa069536472e9d5cc47c9cb0bb7357838"),
    "minimal, special": (CANCEL, {}, "cee7a43edb7581a48d47c9436c69bf7c56caaa52281b3f28c87964b5ede64606"),
    "SDK, start": (START, SDK, "d03bf62e1f9fc60941a70ab2ae02e7ea08caabefa362faa61a308e751d18f00e"),
    "SDK, stop, token": (
        STOP,
        {**SDK_TOKEN, **WITH_TOKEN},
        "772ca7d33bece8ddcba8f035d122239cae2dafaaedd86f03748298c4d8cac6fc",
    ),
    "SDK, special": (CANCEL, SDK, "e8a4e3e3ea53efc495620ac12b35ab26d8352b5c04e9fc93795a6f5202a593f8"),
    "SDK, Chinese, token": (
        RESTART,
        {**SDK_TOKEN, **WITH_TOKEN},
        "2ed5baf42a12cf9c56351a36d257b046fe3778c7a32d9d08d20d0c4575934dba",
    ),
}


def make_v1_request(method, business, common, signature):
    parameters = {
        "Action": "RealTimeRecordCommand",
        "Version": "2016-11-01",
        "Format": "json",
        "AccessKeyId": KEY_ID,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": NONCE,
        "Timestamp": DATE,
        **common,
        **business,
        "Signature": signature,
    }
    return HttpRequest(method, "/", tuple(parameters.items()), {})


def make_acs3_request(business, more_headers, signature):
    headers = {
        "host": "live.aliyuncs.com",
        "x-acs-action": "RealTimeRecordCommand",
        "x-acs-content-sha256": EMPTY_HASH,
        "x-acs-date": DATE,
        "x-acs-signature-nonce": NONCE,
        "x-acs-version": "2016-11-01",
        **more_headers,
    }
    signed = ";".join(sorted(headers))
    headers["authorization"] = f"ACS3-HMAC-SHA256 Credential={KEY_ID},SignedHeaders={signed},Signature={signature}"
    # The headers that an HTTP library adds are not signed.
    headers.update({"accept-encoding": "identity", "content-length": "0"})
    return HttpRequest("POST", "/", tuple(business.items()), headers)


REQUESTS = {
    **{f"v1: {name}": make_v1_request(*vector) for name, vector in V1_VECTORS.items()},
    **{f"ACS3: {name}": make_acs3_request(*vector) for name, vector in ACS3_VECTORS.items()},
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_vector_is_accepted(request_):
    found = read_claim(request_)
    assert (found.key_id, found.nonce, found.date) == (KEY_ID, NONCE, DATE)
    found.verify(SECRET)


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_vector_is_refused_with_another_secret(request_):
    with pytest.raises(GatewayError) as caught:
        read_claim(request_).verify("another")
    assert caught.value.code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("change", ["value", "name", "method", "added"])
def test_changed_vector_is_refused(request_, change):
    query = request_.query
    index = next(number for number, (name, _value) in enumerate(query) if name == "StreamName")
    changed = {
        "value": {"query": (*query[:index], ("StreamName", "stream02"), *query[index + 1 :])},
        "name": {"query": (*query[:index], ("Streamname", query[index][1]), *query[index + 1 :])},
        "method": {"method": "GET" if request_.method == "POST" else "POST"},
        "added": {"query": (*query, ("More", ""))},
    }[change]
    with pytest.raises(GatewayError) as caught:
        read_claim(dataclasses.replace(request_, **changed)).verify(SECRET)
    assert caught.value.code == "SignatureDoesNotMatch"


def test_claim_contains_the_token_in_both_schemes():
    for name in ("v1: current SDK, stop, token", "ACS3: minimal, stop, token"):
        assert read_claim(REQUESTS[name]).token == TOKEN


def test_order_of_parameters_does_not_matter():
    request = REQUESTS["v1: current SDK, special"]
    read_claim(dataclasses.replace(request, query=tuple(reversed(request.query)))).verify(SECRET)


def test_acs3_signature_covers_the_form_body():
    body = (
        b"AppName=my+app&Command=cancel_delay&DomainName=live.example.com&RegionId=cn-shanghai&"
        b"StreamName=a+b%2A~%2F%2B%26%3D%25%E4%B8%AD%E6%96%87"
    )
    signed = "content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
    signature = "c281cc0c0ab992f4dbb02c4bcb1ee1770cf143ec683758a48ee38ea0be218964"
    request = parse_request(
        "POST",
        "/",
        {
            "host": "live.aliyuncs.com",
            "content-type": "application/x-www-form-urlencoded",
            "content-length": str(len(body)),
            "x-acs-action": "RealTimeRecordCommand",
            "x-acs-content-sha256": "7f457a9c83025d11600aaea4f5b514186b36454a3ecbb15c5f0d8bb0caa5a122",
            "x-acs-date": DATE,
            "x-acs-signature-nonce": NONCE,
            "x-acs-version": "2016-11-01",
            "authorization": f"ACS3-HMAC-SHA256 Credential={KEY_ID},SignedHeaders={signed},Signature={signature}",
        },
        body,
    )
    read_claim(request).verify(SECRET)
    assert dict(request.form) == CANCEL
    with pytest.raises(GatewayError) as caught:
        read_claim(dataclasses.replace(request, body=body + b"&X=1"))
    assert caught.value.code == "IncompleteSignature"


def test_string_to_sign_is_in_the_message_and_has_no_raw_colon():
    """Split the message at colons as the legacy SDK does, which compares the second part with its own string."""
    with pytest.raises(GatewayError) as caught:
        read_claim(REQUESTS["v1: legacy SDK, start"]).verify("another")
    parts = caught.value.message.split(":")
    assert len(parts) == 2
    assert parts[1] == (
        "POST&%2F&AccessKeyId%3DtestAccessKeyId%26Action%3DRealTimeRecordCommand%26AppName%3Dmyapp%26Command%3Dstart"
        "%26DomainName%3Dlive.example.com%26Format%3DJSON%26RegionId%3Dcn-shanghai%26SignatureMethod%3DHMAC-SHA1"
        "%26SignatureNonce%3D0f1e2d3c4b5a69788796a5b4c3d2e1f0%26SignatureType%3D%26SignatureVersion%3D1.0"
        "%26StreamName%3Dstream01%26Timestamp%3D2026-01-02T03%253A04%253A05Z%26Version%3D2016-11-01"
    )


@pytest.mark.parametrize(
    "change",
    [lambda names: list(reversed(names)), lambda names: [*names, names[-1]], lambda names: []],
    ids=["reversed", "repeated", "none"],
)
def test_signed_headers_must_be_sorted_and_unique(change):
    request = REQUESTS["ACS3: minimal, start"]
    authorization = request.headers["authorization"]
    names = authorization.partition("SignedHeaders=")[2].partition(",")[0]
    changed = authorization.replace(names, ";".join(change(names.split(";"))))
    with pytest.raises(GatewayError) as caught:
        read_claim(dataclasses.replace(request, headers={**request.headers, "authorization": changed}))
    assert caught.value.code == "IncompleteSignature"
