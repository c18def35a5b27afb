# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateway's checks, formats and limits, over real HTTP."""

from __future__ import annotations

import base64
import email.utils
import hashlib
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from signing_client import SigningClient, now_text

from support.emulator import (
    ACCOUNT,
    INACTIVE_KEY,
    KEY,
    OIDC_PROVIDER,
    OIDC_TOKEN,
    OTHER_ACCOUNT_KEY,
    POWERLESS_KEY,
    ROLE,
    ROOT_KEY,
)

STREAM = {"DomainName": "live.example.com", "AppName": "app", "StreamName": "one"}
STATE = "DescribeLiveStreamState"
COMMAND = "RealTimeRecordCommand"
QUERY = "AppName=app&DomainName=live.example.com&StreamName=one"


def call_acs3(client, **changes):
    """Call DescribeLiveStreamState with changed headers, which are signed after the change."""
    return client.send("POST", f"/?{QUERY}", client.headers(STATE, query=QUERY, **changes))


# Formats of requests and responses


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_call_signed_with_acs3_succeeds(client, method):
    response = client.call(STATE, method=method, **STREAM)
    assert response.status == 200
    assert response.headers["content-type"] == "application/json;charset=utf-8"
    assert re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", response.json["RequestId"])
    assert {**response.json, "RequestId": ""} == {"RequestId": "", "StreamState": "offline", "Type": "push"}


@pytest.mark.parametrize("form", [False, True])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_call_signed_with_hmac_sha1_succeeds(client, method, form):
    assert client.call_v1(STATE, method, form=form, **STREAM).json["StreamState"] == "offline"


def test_hmac_sha1_clients_get_xml_unless_they_request_json(client):
    response = client.call_v1(STATE, Format=None, **STREAM)
    assert response.headers["content-type"] == "text/xml;charset=utf-8"
    assert response.xml.tag == "DescribeLiveStreamStateResponse"
    assert response.xml.findtext("StreamState") == "offline"
    assert client.call_v1(STATE, Format="json", **STREAM).json["StreamState"] == "offline"
    assert client.call(STATE, Format="XML", **STREAM).xml.findtext("StreamState") == "offline"


def test_xml_contains_lists_and_errors(client, cloud):
    cloud.push("live.example.com/app/<&>", "live.example.com/app/two")
    listed = client.call_v1("DescribeLiveStreamsOnlineList", Format="XML", DomainName="live.example.com").xml
    names = [row.findtext("StreamName") for row in listed.findall("OnlineInfo/LiveStreamOnlineInfo")]
    assert names == ["<&>", "two"]
    error = client.call_v1(COMMAND, Format="XML", Command="start", **STREAM)
    assert error.headers["content-type"] == "text/xml;charset=utf-8"
    assert error.xml.tag == "Error"
    assert error.xml.findtext("Code") == "StreamNotFound"
    assert error.xml.findtext("HostId") == "live.aliyuncs.com"


def test_wrapped_responses_are_inside_the_operation_name(client, cloud):
    cloud.behave(answers="wrapped")
    response = client.call(STATE, **STREAM).json
    assert list(response) == ["DescribeLiveStreamStateResponse"]
    assert response["DescribeLiveStreamStateResponse"]["StreamState"] == "offline"
    assert client.call(COMMAND, Command="start", **STREAM).code == "StreamNotFound"


def test_error_body_has_the_documented_fields(client):
    response = client.call(COMMAND, Command="start", **STREAM)
    assert response.status == 409
    assert {"RequestId", "HostId", "Code", "Message", "Recommend"} == set(response.json)
    assert response.headers["x-acs-request-id"] == response.json["RequestId"]


def test_date_header_is_the_gateway_clock(client, cloud):
    cloud.behave(clock_skew=-100)
    sent = email.utils.parsedate_to_datetime(client.call(STATE, **STREAM).headers["date"]).timestamp()
    assert sent == pytest.approx(time.time() - 100, abs=3)


# Signatures, with ACS3


def test_wrong_secret_is_refused_with_the_string_to_sign(client, cloud):
    response = SigningClient(cloud.endpoint, (KEY[0], "wrong")).call(STATE, **STREAM)
    assert (response.status, response.code) == (400, "SignatureDoesNotMatch")
    assert "server string to sign is:ACS3-HMAC-SHA256\n" in response.json["Message"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"x_acs_date": None}, "MissingParameter"),
        ({"x_acs_signature_nonce": None}, "MissingParameter"),
        ({"x_acs_content_sha256": hashlib.sha256(b"x").hexdigest()}, "IncompleteSignature"),
        ({"x_acs_date": "2026-01-02 03:04:05"}, "InvalidTimeStamp.Format"),
        ({"x_acs_date": "2026-13-02T03:04:05Z"}, "InvalidTimeStamp.Format"),
        ({"x_acs_date": "2026-01-02T03:04:05Z"}, "InvalidTimeStamp.Expired"),
        ({"host": "live.aliyuncs.com.invalid"}, None),
        ({"x_acs_version": "2016-11-02"}, "NoSuchVersion"),
        ({"x_acs_version": None}, "MissingVersion"),
        ({"x_acs_action": None}, "MissingAction"),
        ({"x_acs_action": "DescribeNothing"}, "InvalidAction.NotFound"),
    ],
)
def test_changed_acs3_headers_give_the_documented_errors(client, changes, code):
    assert call_acs3(client, **changes).code == code


def test_acs3_signature_covers_the_host_header(client):
    headers = client.headers(STATE, query=QUERY)
    headers["host"] = "live.aliyuncs.com"
    assert client.send("POST", f"/?{QUERY}", headers).code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("name", ["host", "x-acs-version", "x-acs-more"])
def test_acs3_header_must_be_signed(client, name):
    headers = client.headers(STATE, query=QUERY)
    everything = {**headers, "x-acs-more": "1"}
    signed = {key: value for key, value in headers.items() if key not in (name, "Authorization")}
    response = client.send(
        "POST", f"/?{QUERY}", {**everything, "Authorization": client.authorization(signed, query=QUERY)}
    )
    assert response.code == "IncompleteSignature"
    assert name in response.json["Message"]


def test_acs3_signed_header_must_be_sent(client):
    headers = client.headers(STATE, query=QUERY, x_acs_extra="1")
    del headers["x-acs-extra"]
    assert client.send("POST", f"/?{QUERY}", headers).code == "IncompleteSignature"


@pytest.mark.parametrize(
    "authorization", ["", "ACS3-HMAC-SHA256", "ACS3-HMAC-SM3 Credential=a,SignedHeaders=b,Signature=c", "Basic eA=="]
)
def test_malformed_authorization_is_refused(client, authorization):
    headers = client.headers(STATE, query=QUERY)
    headers["Authorization"] = authorization
    assert client.send("POST", f"/?{QUERY}", headers).code == "IncompleteSignature"


def test_changed_query_is_refused(client):
    headers = client.headers(STATE, query=QUERY)
    response = client.send("POST", f"/?{QUERY}x", headers)
    assert response.code == "SignatureDoesNotMatch"


# Signatures, with HMAC-SHA1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"AccessKeyId": None}, "MissingAccessKeyId"),
        ({"SignatureMethod": None}, "MissingSignatureMethod"),
        ({"SignatureNonce": ""}, "MissingSignatureNonce"),
        ({"Timestamp": None}, "MissingTimestamp"),
        ({"Version": None}, "MissingVersion"),
        ({"Action": None}, "MissingAction"),
        ({"Action": "DescribeNothing"}, "InvalidAction.NotFound"),
        ({"Version": "2016-11-02"}, "NoSuchVersion"),
        ({"SignatureMethod": "HMAC-SHA256"}, "IncompleteSignature"),
        ({"SignatureVersion": "2.0"}, "IncompleteSignature"),
        ({"Timestamp": "yesterday"}, "InvalidTimeStamp.Format"),
        ({"Timestamp": "2026-01-02T03:04:05Z"}, "InvalidTimeStamp.Expired"),
        ({"AccessKeyId": "nobody"}, "InvalidAccessKeyId.NotFound"),
        ({"SecurityToken": "made-up"}, "InvalidSecurityToken.Malformed"),
        ({"Format": "YAML"}, "InvalidParameter"),
        ({"SignatureType": ""}, None),
    ],
)
def test_changed_v1_parameters_give_the_documented_errors(client, changes, code):
    response = client.send("POST", "/?" + encode_query(client.v1_parameters(STATE, **{**STREAM, **changes})), {})
    if changes.get("Format") == "YAML":
        assert response.xml.findtext("Code") == code
    else:
        assert response.code == code


def encode_query(parameters):
    from urllib.parse import urlencode

    return urlencode(parameters)


def test_v1_call_without_signature_is_refused(client):
    parameters = client.v1_parameters(STATE, **STREAM)
    del parameters["Signature"]
    assert client.send("GET", "/?" + encode_query(parameters), {}).code == "MissingSignature"


def test_v1_wrong_secret_is_refused_with_the_string_to_sign(cloud):
    response = SigningClient(cloud.endpoint, (KEY[0], "wrong")).call_v1(STATE, **STREAM)
    assert response.code == "SignatureDoesNotMatch"
    assert response.json["Message"].split(":")[1].startswith("POST&%2F&AccessKeyId%3DtestAccessKeyId%26Action%3D")


# Access keys, dates, nonces, tokens


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        (("nobody", "x"), 404, "InvalidAccessKeyId.NotFound"),
        (INACTIVE_KEY, 400, "InvalidAccessKeyId.Inactive"),
        (POWERLESS_KEY, 403, "Forbidden.RAM"),
        (OTHER_ACCOUNT_KEY, 404, "InvalidDomain.NotFound"),
        (ROOT_KEY, 200, None),
    ],
)
def test_access_keys_give_their_status_and_code(cloud, key, status, code):
    response = SigningClient(cloud.endpoint, key).call(STATE, **STREAM)
    assert (response.status, response.code) == (status, code)


def test_denial_details_may_be_switched_off(cloud):
    powerless = SigningClient(cloud.endpoint, POWERLESS_KEY)
    assert powerless.call(STATE, **STREAM).json["AccessDeniedDetail"]["AuthAction"] == f"live:{STATE}"
    cloud.behave(access_denied_detail="off")
    assert "AccessDeniedDetail" not in powerless.call(STATE, **STREAM).json


def test_denial_code_of_the_product_may_be_selected(cloud):
    cloud.behave(denial_code="Forbidden")
    powerless = SigningClient(cloud.endpoint, POWERLESS_KEY)
    response = powerless.call(STATE, **STREAM)
    assert (response.status, response.code) == (400, "Forbidden")
    assert response.json["Message"] == "Ram Permission is forbidden." and "AccessDeniedDetail" not in response.json
    assert assume(powerless).code == "Forbidden.RAM", "another product"


def test_policies_allow_and_deny_operations(cloud):
    user = {"name": "reader", "allow": ["live:Describe*"], "deny": ["live:DescribeLiveRecord*"]}
    keys = [{"id": "reader", "secret": "s", "user": "reader"}]
    cloud.add_accounts({"id": "1000000000000001", "users": [user], "access_keys": keys})
    reader = SigningClient(cloud.endpoint, ("reader", "s"))
    assert reader.call(STATE, **STREAM).status == 200
    assert reader.call("DescribeLiveRecordConfig", DomainName="live.example.com").code == "Forbidden.RAM"
    assert reader.call(COMMAND, Command="start", **STREAM).code == "Forbidden.RAM"


@pytest.mark.parametrize(("offset", "code"), [(-890, None), (890, None), (-930, "Expired"), (930, "Expired")])
def test_dates_within_fifteen_minutes_are_accepted(client, offset, code):
    found = call_acs3(client, x_acs_date=now_text(offset)).code
    assert found == (code and f"InvalidTimeStamp.{code}")


def test_dates_are_compared_with_the_skewed_clock(client, cloud):
    cloud.behave(clock_skew=1000)
    assert client.call(STATE, **STREAM).code == "InvalidTimeStamp.Expired"
    assert call_acs3(client, x_acs_date=now_text(1000)).status == 200


def test_advancing_the_clock_does_not_affect_signature_dates(client, cloud):
    cloud.advance(100_000)
    assert client.call(STATE, **STREAM).status == 200


def test_nonce_is_accepted_once_per_account(client, cloud):
    assert call_acs3(client, x_acs_signature_nonce="n1").status == 200
    assert call_acs3(client, x_acs_signature_nonce="n1").code == "SignatureNonceUsed"
    assert client.call_v1(STATE, SignatureNonce="n1", **STREAM).code == "SignatureNonceUsed"
    other = SigningClient(cloud.endpoint, OTHER_ACCOUNT_KEY)
    assert call_acs3(other, x_acs_signature_nonce="n1").code == "InvalidDomain.NotFound"


def test_nonce_of_a_badly_signed_call_may_be_used_again(client, cloud):
    stranger = SigningClient(cloud.endpoint, (KEY[0], "wrong"))
    assert call_acs3(stranger, x_acs_signature_nonce="n2").code == "SignatureDoesNotMatch"
    assert call_acs3(client, x_acs_signature_nonce="n2").status == 200


def assume(client, **changes):
    parameters = {"RoleArn": ROLE, "RoleSessionName": "test", **changes}
    given = {name: value for name, value in parameters.items() if value is not None}
    return client.call_v1("AssumeRole", "GET", Version="2015-04-01", **given)


def make_session_client(cloud, credentials, token=None):
    key = (credentials["AccessKeyId"], credentials["AccessKeySecret"])
    return SigningClient(cloud.endpoint, key, token)


@pytest.fixture
def credentials(client):
    return assume(client).json["Credentials"]


def test_the_identity_of_a_caller_needs_a_right_signature_and_no_permission(cloud, client, credentials):
    def read(one):
        return one.call_v1("GetCallerIdentity", Version="2015-04-01"), one.call("GetCallerIdentity", "2015-04-01")

    temporary = make_session_client(cloud, credentials, credentials["SecurityToken"])
    for one in (client, temporary, SigningClient(cloud.endpoint, POWERLESS_KEY)):
        assert [(found.status, found.json["AccountId"]) for found in read(one)] == 2 * [(200, ACCOUNT)]
    for one in (SigningClient(cloud.endpoint, (KEY[0], "wrong")), make_session_client(cloud, credentials, "made-up")):
        codes = {found.code for found in read(one)}
        assert len(codes) == 1 and codes <= {"SignatureDoesNotMatch", "InvalidSecurityToken.Malformed"}
    assert client.call("GetCallerIdentity").code == "InvalidAction.NotFound"
    assert client.call_unsigned("GetCallerIdentity", Version="2015-04-01").code == "MissingAccessKeyId"


def test_assumed_role_works_with_both_signatures(cloud, credentials):
    temporary = make_session_client(cloud, credentials, credentials["SecurityToken"])
    assert temporary.call(STATE, **STREAM).status == 200
    assert temporary.call_v1(STATE, **STREAM).status == 200
    assert credentials["AccessKeyId"].startswith("STS.")


@pytest.mark.parametrize(
    ("token", "code"),
    [(None, "MissingSecurityToken"), ("made-up", "InvalidSecurityToken.Malformed")],
)
def test_temporary_key_with_a_wrong_token_is_refused(cloud, credentials, token, code):
    temporary = make_session_client(cloud, credentials, token)
    assert temporary.call(STATE, **STREAM).code == code
    assert temporary.call_v1(STATE, **STREAM).code == code


def test_token_of_another_session_is_refused(cloud, client, credentials):
    other = assume(client).json["Credentials"]
    temporary = make_session_client(cloud, credentials, other["SecurityToken"])
    assert temporary.call(STATE, **STREAM).code == "InvalidSecurityToken.MismatchWithAccessKey"
    with_long_key = SigningClient(cloud.endpoint, KEY, other["SecurityToken"])
    assert with_long_key.call(STATE, **STREAM).code == "InvalidSecurityToken.MismatchWithAccessKey"


def test_temporary_key_expires(cloud, client):
    credentials = assume(client, DurationSeconds=900).json["Credentials"]
    temporary = make_session_client(cloud, credentials, credentials["SecurityToken"])
    cloud.behave(clock_skew=890)
    assert temporary.call(STATE, **STREAM).status == 200
    cloud.behave(clock_skew=901)
    # The date of the request must follow the skewed clock, else the date would be refused first.
    query_date = now_text(901)
    response = temporary.send("POST", f"/?{QUERY}", temporary.headers(STATE, query=QUERY, x_acs_date=query_date))
    assert response.code == "InvalidSecurityToken.Expired"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"RoleArn": None}, "MissingRoleArn"),
        ({"RoleSessionName": None}, "MissingRoleSessionName"),
        ({"RoleArn": "recorder"}, "InvalidParameter.RoleArn"),
        ({"RoleArn": ROLE + "x"}, "EntityNotExist.Role"),
        ({"RoleSessionName": "a b"}, "InvalidParameter.RoleSessionName"),
        ({"DurationSeconds": 899}, "InvalidParameter.DurationSeconds"),
        ({"DurationSeconds": 3601}, "InvalidParameter.DurationSeconds"),
        ({"Policy": "{"}, "InvalidParameter.PolicyGrammar"),
    ],
)
def test_invalid_assume_role_parameters_are_refused(client, changes, code):
    response = assume(client, **changes)
    assert response.code == code
    assert response.json["HostId"] == "sts.aliyuncs.com"


def test_role_with_an_external_id_requires_it(cloud, client):
    cloud.add_accounts({"id": "1000000000000001", "roles": [{"name": "guest", "external_id": "x"}]})
    arn = "acs:ram::1000000000000001:role/guest"
    assert assume(client, RoleArn=arn).code == "NoPermission"
    assert assume(client, RoleArn=arn, ExternalId="y").code == "NoPermission"
    assert assume(client, RoleArn=arn, ExternalId="x").status == 200


def test_role_of_another_account_is_refused(cloud):
    keys = [{"id": "u", "secret": "s", "user": "someone"}]
    cloud.add_accounts({"id": "2000000000000002", "users": [{"name": "someone"}], "access_keys": keys})
    assert assume(SigningClient(cloud.endpoint, ("u", "s"))).code == "NoPermission"


def test_root_may_not_assume_roles(cloud):
    assert assume(SigningClient(cloud.endpoint, ROOT_KEY)).code == "NoPermission"


def test_powerless_user_may_not_assume_roles(cloud):
    assert assume(SigningClient(cloud.endpoint, POWERLESS_KEY)).code == "Forbidden.RAM"


# Roles of OIDC identity providers

ISSUER = "https://oidc.example.com"
CLAIMS = {"iss": ISSUER, "aud": "apsaravideo", "sub": "repo:team/live", "exp": 4_000_000_000}


def make_jwt(header=None, **claims):
    parts = [{"alg": "RS256", **(header or {})}, {**CLAIMS, **claims}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "signature"])


def assume_with_token(client, token=OIDC_TOKEN, method="POST", **changes):
    parameters = {
        "Version": "2015-04-01",
        "RoleArn": ROLE,
        "OIDCProviderArn": OIDC_PROVIDER,
        "OIDCToken": token,
        "RoleSessionName": "test",
        **changes,
    }
    return client.call_unsigned("AssumeRoleWithOIDC", method, **parameters)


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize(
    ("token", "subject", "audiences"),
    [
        (OIDC_TOKEN, "registered", "apsaravideo"),
        (make_jwt(), "repo:team/live", "apsaravideo"),
        (make_jwt(aud=["other", "apsaravideo"]), "repo:team/live", "other,apsaravideo"),
    ],
)
def test_role_is_assumed_with_a_token_of_its_provider(cloud, client, method, token, subject, audiences):
    response = assume_with_token(client, token, method)
    assert response.status == 200
    assert response.json["OIDCTokenInfo"] == {"Subject": subject, "Issuer": ISSUER, "ClientIds": audiences}
    assert response.json["AssumedRoleUser"]["Arn"] == f"{ROLE}/test"
    credentials = response.json["Credentials"]
    temporary = make_session_client(cloud, credentials, credentials["SecurityToken"])
    assert temporary.call(STATE, **STREAM).status == 200
    (call, _state) = cloud.calls()
    assert (call["params"]["OIDCToken"], call["signature"], call["account"]) == ("***", None, "1000000000000001")


OIDC_FAILURE = "AuthenticationFail.OIDCToken."


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"RoleArn": None}, 400, "MissingRoleArn"),
        ({"RoleSessionName": ""}, 400, "MissingRoleSessionName"),
        ({"OIDCProviderArn": None}, 400, "MissingOIDCProviderArn"),
        ({"OIDCProviderArn": OIDC_PROVIDER + "x"}, 401, "AuthenticationFail.NoPermission"),
        ({"RoleArn": "recorder"}, 400, "InvalidParameter.RoleArn"),
        ({"RoleArn": ROLE + "x"}, 404, "EntityNotExist.Role"),
        ({"RoleSessionName": "a b"}, 400, "InvalidParameter.RoleSessionName"),
        ({"DurationSeconds": 899}, 400, "InvalidParameter.DurationSeconds"),
        ({"Policy": "{"}, 400, "InvalidParameter.PolicyGrammar"),
        ({"Timestamp": None}, 400, "MissingTimestamp"),
        ({"Timestamp": "today"}, 400, "InvalidTimeStamp.Format"),
        ({"Timestamp": "2020-01-01T00:00:00Z"}, 400, "InvalidTimeStamp.Expired"),
        ({"token": None}, 401, OIDC_FAILURE + "Invalid"),
        ({"token": "abc"}, 401, OIDC_FAILURE + "Invalid"),
        ({"token": "x" * 20_001}, 401, OIDC_FAILURE + "Invalid"),
        ({"token": OIDC_TOKEN + "\n"}, 401, OIDC_FAILURE + "Invalid"),
        ({"token": "e30.e30"}, 401, OIDC_FAILURE + "Invalid"),
        ({"token": "a.b.c"}, 401, OIDC_FAILURE + "Invalid"),
        ({"token": "W10.W10.c"}, 401, OIDC_FAILURE + "Invalid"),
        ({"token": make_jwt({"alg": "HS256"})}, 401, OIDC_FAILURE + "Invalid"),
        ({"token": make_jwt(iss="https://elsewhere.example.com")}, 401, OIDC_FAILURE + "Invalid"),
        ({"token": make_jwt(sub=None)}, 401, OIDC_FAILURE + "Invalid"),
        ({"token": make_jwt(aud="other")}, 401, OIDC_FAILURE + "AudienceNotMatch"),
        ({"token": make_jwt(aud=None)}, 401, OIDC_FAILURE + "AudienceNotMatch"),
        ({"token": make_jwt(exp=1)}, 401, OIDC_FAILURE + "Expired"),
        ({"token": make_jwt(exp=None)}, 401, OIDC_FAILURE + "Expired"),
    ],
)
def test_invalid_token_calls_are_refused(cloud, client, changes, status, code):
    response = assume_with_token(client, **changes)
    assert (response.status, response.code, response.json["HostId"]) == (status, code, "sts.aliyuncs.com")
    assert cloud.calls()[0]["account"] is None


def test_role_trusts_only_its_own_providers(cloud, client):
    account = "1000000000000001"
    cloud.add_accounts(
        {"id": account, "oidc_providers": [{"name": "other", "issuer": "x", "tokens": ["other-token"]}]},
        {"id": "3", "oidc_providers": [{"name": "ci", "issuer": "x", "tokens": ["foreign-token"]}]},
    )
    for number, provider, token in ((account, "other", "other-token"), ("3", "ci", "foreign-token")):
        arn = f"acs:ram::{number}:oidc-provider/{provider}"
        response = assume_with_token(client, token, OIDCProviderArn=arn)
        assert (response.status, response.code) == (401, "AuthenticationFail.NoPermission")
    assert assume_with_token(client, "other-token").code == OIDC_FAILURE + "Invalid"


def test_token_calls_share_the_limit_of_the_account(cloud, client):
    cloud.behave(limits={"AssumeRoleWithOIDC": "1/60"})
    assert assume_with_token(client).status == 200
    assert assume_with_token(client).code == "Throttling.User"
    assert assume_with_token(client, RoleArn="acs:ram::3:role/x").code == "EntityNotExist.Role"


def test_other_operations_require_a_signature(client):
    assert client.call_unsigned(STATE, **STREAM).code == "MissingAccessKeyId"
    assert client.call_unsigned("AssumeRole", Version="2015-04-01", RoleArn=ROLE).code == "MissingAccessKeyId"


# Transport


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_http_methods_are_refused(client, method):
    assert client.call_v1(STATE, method, **STREAM).code == "UnsupportedHTTPMethod"


def test_other_paths_are_not_found(client):
    headers = client.headers(STATE, query=QUERY)
    assert client.send("POST", f"/live?{QUERY}", headers).code == "InvalidAction.NotFound"


def test_plain_http_is_refused_if_tls_is_required(client, cloud):
    cloud.behave(require_tls="on")
    response = client.call(STATE, **STREAM)
    assert (response.status, response.code) == (404, "InvalidProtocol.NeedSsl")


def test_code_for_an_unknown_version_may_be_selected(client, cloud):
    cloud.behave(version_code="InvalidVersion")
    assert call_acs3(client, x_acs_version="2016-11-02").code == "InvalidVersion"


def test_delayed_call_counts_when_it_arrives(client, cloud):
    cloud.behave(limits={STATE: "1/20"})
    cloud.fault("delay", seconds=1.0, parameters={"StreamName": "slow"})
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(SigningClient(cloud.endpoint).call, STATE, **{**STREAM, "StreamName": "slow"})
        time.sleep(0.4)
        assert client.call(STATE, **STREAM).code == "Throttling.User"
        assert not slow.done()
        assert slow.result().status == 200


def test_call_that_does_not_reach_the_gateway_is_not_counted(client, cloud):
    cloud.behave(limits={STATE: "1/20"})
    cloud.fault("status_503", times=1)
    assert client.call(STATE, **STREAM).status == 503
    assert client.call(STATE, **STREAM).status == 200


def test_latency_delays_each_response(client, cloud):
    cloud.behave(latency=150)
    started = time.monotonic()
    client.call(STATE, **STREAM)
    assert time.monotonic() - started >= 0.15


# Call limits


def call_states(client, count):
    return [client.call(STATE, **STREAM) for _number in range(count)]


def test_calls_above_the_limit_of_an_operation_are_throttled(client, cloud):
    cloud.behave(limits={STATE: "3/60"})
    responses = call_states(client, 5)
    assert [response.code for response in responses] == [None, None, None, "Throttling.User", "Throttling.User"]
    assert responses[3].status == 400
    assert "x-acs-retry-after" not in responses[3].headers
    assert client.call("DescribeLiveDomainMapping", DomainName="live.example.com").status == 200
    assert [call["throttled"] for call in cloud.calls(STATE)] == [False, False, False, True, True]


def test_throttled_status_and_retry_hint_may_be_selected(client, cloud):
    cloud.behave(limits={STATE: "1/60"}, throttle_status="429", retry_after="on")
    _first, second = call_states(client, 2)
    assert (second.status, second.code) == (429, "Throttling.User")
    assert 50_000 < int(second.headers["x-acs-retry-after"]) <= 60_000


@pytest.mark.parametrize("code", ["Throttling", "Throttling.Api"])
def test_throttled_code_may_be_selected(client, cloud, code):
    cloud.behave(limits={STATE: "1/60"}, throttle_code=code)
    assert [response.code for response in call_states(client, 2)] == [None, code]


def test_http_status_of_an_error_may_be_selected(client, cloud):
    cloud.behave(http_status={"InvalidAccessKeyId.NotFound": 400, "Forbidden.RAM": "404"})
    for key, status in ((("nobody", "x"), 400), (POWERLESS_KEY, 404), (INACTIVE_KEY, 400)):
        assert SigningClient(cloud.endpoint, key).call(STATE, **STREAM).status == status


def test_limit_is_shared_within_an_account_only(client, cloud):
    cloud.behave(limits={STATE: "2/60"})
    credentials = assume(client).json["Credentials"]
    sharing = [
        SigningClient(cloud.endpoint, ROOT_KEY),
        make_session_client(cloud, credentials, credentials["SecurityToken"]),
        client,
    ]
    assert [one.call(STATE, **STREAM).code for one in sharing] == [None, None, "Throttling.User"]
    other = SigningClient(cloud.endpoint, OTHER_ACCOUNT_KEY)
    assert other.call(STATE, **STREAM).code == "InvalidDomain.NotFound"


def test_throttled_call_has_no_effect(client, cloud):
    cloud.push("live.example.com/app/one")
    cloud.behave(limits={COMMAND: "1/60"})
    assert client.call(COMMAND, Command="start", **STREAM).status == 200
    assert client.call(COMMAND, Command="stop", **STREAM).code == "Throttling.User"
    assert cloud.stream("live.example.com/app/one")["recording"] == "recording"


def test_other_client_uses_part_of_the_limit(client, cloud):
    cloud.behave(limits={STATE: "4/60"}, other_client={STATE: 0.05})
    assert [response.code for response in call_states(client, 3)] == [None, "Throttling.User", "Throttling.User"]


def test_documented_limit_applies_by_default(client, cloud):
    """Call DescribeLiveStreamsPublishList, which has the lowest documented limit, 3 calls per second."""
    window = {"StartTime": now_text(-60), "EndTime": now_text(60)}
    responses = [
        client.call("DescribeLiveStreamsPublishList", DomainName="live.example.com", **window).code
        for _number in range(30)
    ]
    assert responses[:3] == [None] * 3
    assert "Throttling.User" in responses
