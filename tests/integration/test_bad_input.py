# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Invalid options and environments: each fails with one clear message, without a traceback and without a secret."""

from __future__ import annotations

import json
import os
import re
import socket
import sys

import pytest

from support.emulator import INACTIVE_KEY, KEY, OTHER_ACCOUNT_KEY, POWERLESS_KEY
from support.playbook import STREAM, WAYS, Ansible, environment, streams, temporary_keys
from support.scripted import ScriptedServer, answer, truncated

NAMES = streams([STREAM])["stream01"]


def keys(key, **more):
    return {"access_key_id": key[0], "access_key_secret": key[1], **more}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Case:
    """Options of the module, and what its failure contains."""

    def __init__(self, name, options, code, words, advice, sent=0):
        self.name, self.options, self.code = name, options, code
        self.words, self.advice, self.sent = words, advice, sent


INPUT = [
    Case("empty name", {"stream_name": ""}, None, "stream_name is empty", "Name exactly one stream"),
    Case("boolean", {"stream_name": True}, None, "stream_name is true, which is a boolean", 'stream_name: "'),
    Case("fraction", {"app_name": 1.1}, None, "app_name is 1.1, which is a floating-point number", "Quote the name"),
    Case("wildcard", {"stream_name": "*"}, None, "takes no wildcard", "each a host of the inventory"),
    Case("url for a domain", {"domain_name": "rtmp://x/y"}, None, "is not a valid domain", "without scheme"),
    Case("line end in a name", {"app_name": "a\nb"}, None, "line end", "Give the name exactly"),
    Case("negative time", {"read_timeout": -1}, None, "read_timeout is -1", "more than 0"),
    Case("plain http", {"endpoint": "http://live.example.net"}, None, "plain http", "Use https"),
    Case("no url", {"endpoint": "live.example.net"}, None, "is not a full URL", "https://live.aliyuncs.com"),
    Case("half a pair", {"access_key_id": "x"}, None, "incomplete", "Set access_key_secret"),
    Case(
        "no such file", {"ca_path": "/nonexistent/ca.pem"}, None, "does not exist", "Give the path of an existing file"
    ),
    Case("no such profile", {"profile": "nobody"}, None, "config.json cannot be read", "Check its path"),
]
CLOUD = [
    Case(
        "unknown domain", {"domain_name": "x.example.com"}, "InvalidDomain.NotFound", "no such streaming domain", "", 1
    ),
    Case(
        "another account's domain",
        keys(OTHER_ACCOUNT_KEY),
        "InvalidDomain.NotFound",
        "no such streaming",
        "credentials",
        1,
    ),
    Case("unknown key", keys(("nobodysKeyId", "x")), "InvalidAccessKeyId.NotFound", "not known", "access_key_id", 1),
    Case("inactive key", keys(INACTIVE_KEY), "InvalidAccessKeyId.Inactive", "not active", "access_key_id", 1),
    Case("wrong secret", keys((KEY[0], "wrongSecret")), "SignatureDoesNotMatch", "secret is wrong", "Check", 1),
    Case("wrong token", keys(KEY, security_token="CAISwrong"), "InvalidSecurityToken.Malformed", "token", "same", 1),
    Case("no rights", keys(POWERLESS_KEY), "Forbidden.RAM", "may not call", "live:RealTimeRecordCommand", 1),
    Case("stream not pushed", {"stream_name": "nothing"}, "StreamNotFound", "not being pushed", "wait_for_stream", 1),
]


@pytest.fixture(name="told", scope="module")
def run_cases(http_cloud, tmp_path_factory):
    """Run one playbook with all cases; return the result of each by name, and the output."""
    http_cloud.reset()
    http_cloud.push(STREAM)
    ansible = Ansible(tmp_path_factory.mktemp("input"), environment(http_cloud))
    tasks = [
        {
            "name": case.name,
            "apsaravideo.live.apsaravideo_record": {**NAMES, "retry_timeout": 0, **case.options},
            "ignore_errors": True,
        }
        for case in INPUT + CLOUD
    ]
    run = ansible.play(tasks)
    return {case.name: run.result(case.name) for case in INPUT + CLOUD}, run.output


@pytest.mark.parametrize("case", INPUT + CLOUD, ids=lambda case: case.name)
def test_each_case_fails_with_one_clear_message(told, case):
    results, output = told
    check(results[case.name], case)
    assert "Traceback" not in output


def check(result, case):
    assert result["error"]["code"] == case.code
    assert bool(result["error"]["request_id"]) is bool(case.code)
    assert case.words in result["msg"] and case.advice in result["msg"]
    assert result["msg"].endswith(".") and len(result["msg"]) < 500
    assert result["api_calls"] == case.sent
    shown = json.dumps(result)
    for secret in (KEY[1], OTHER_ACCOUNT_KEY[1], INACTIVE_KEY[1], "wrongSecret", "CAISwrong", "Signature="):
        assert secret not in shown
    assert "nobodysKeyId" not in result["msg"]


def one(ansible, case):
    options = {**NAMES, "retry_timeout": 0, **case.options}
    run = ansible.play([{"name": "it", "apsaravideo.live.apsaravideo_record": options}])
    assert "Traceback" not in run.output
    check(run.result("it"), case)
    return run


def test_a_missing_name_is_refused(ansible):
    run = ansible.play([{"name": "it", "apsaravideo.live.apsaravideo_record": {"domain_name": "d", "app_name": "a"}}])
    assert "missing required arguments: stream_name" in run.result("it")["msg"]


@pytest.mark.parametrize("missing", ["requests", "jmespath"])
def test_a_missing_library_is_named(cloud, ansible, tmp_path, missing):
    cloud.push(STREAM)
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / f"{missing}.py").write_text("raise ImportError", encoding="utf-8")
    environ = {"PYTHONPATH": f"{hidden}:{os.environ.get('PYTHONPATH', '')}"}
    told = f"{sys.executable} does not find {missing}. Run: {sys.executable} -m pip install {missing}"

    tasks = [
        {"name": "one", "apsaravideo.live.apsaravideo_record": NAMES, "ignore_errors": True},
        {"name": "elsewhere", "apsaravideo.live.apsaravideo_record": NAMES, **WAYS["as a module"]},
    ]
    run = ansible.play(tasks[:1], environ=environ)
    assert run.result("one")["msg"] == told
    run = ansible.play(tasks[1:], environ=environ)
    assert run.result("elsewhere")["msg"] == told
    run = ansible.playbook("apsaravideo.live.start", "-i", ansible.inventory(streams([STREAM])), environ=environ)
    assert run.exit_code == 2 and told in run.output.replace("\n", " ")
    source = tmp_path / "live.apsaravideo.yml"
    source.write_text("plugin: apsaravideo.live.apsaravideo_streams\ndomains: [live.example.com]\n", encoding="utf-8")
    run = ansible.playbook("apsaravideo.live.start", "-i", str(source), environ=environ)
    # Ansible breaks the lines of this message, also within words and at hyphens.
    joined, told = (re.sub(r"[\s-]", "", text) for text in (run.output, told))
    assert run.exit_code != 0 and told in joined
    assert cloud.calls() == []


def test_a_clock_20_minutes_off_is_corrected(cloud, ansible):
    cloud.behave(clock_skew=1200)
    cloud.push(STREAM)
    run = ansible.play([{"name": "it", "apsaravideo.live.apsaravideo_record": {**NAMES, "state": "restarted"}}])
    assert run.result("it")["changed"] and run.result("it")["api_calls"] == 2
    assert "The clock of this machine is 20 minutes behind the cloud's" in " ".join(run.output.split())
    assert [call["code"] for call in cloud.calls()] == ["InvalidTimeStamp.Expired", None]


def test_a_clock_2_days_off_is_an_error(cloud, ansible):
    cloud.behave(clock_skew=-2 * 86400)
    one(ansible, Case("", {}, "InvalidTimeStamp.Expired", "2 days ahead", "NTP", 1))


def test_an_expired_token_is_an_error(cloud, ansible):
    cloud.behave(clock_skew=-800)
    temporary = temporary_keys(cloud, seconds=900)
    cloud.push(STREAM)
    one_run = ansible.play([{"name": "it", "apsaravideo.live.apsaravideo_record": {**NAMES, **temporary}}])
    assert one_run.result("it")["changed"], "the token was good"
    cloud.behave(clock_skew=200)
    run = one(
        ansible, Case("", temporary, "InvalidSecurityToken.Expired", "has expired", "new temporary credentials", 1)
    )
    assert temporary["security_token"] not in run.output


def test_a_missing_token_is_an_error(cloud, ansible):
    temporary = temporary_keys(cloud)
    del temporary["security_token"]
    one(ansible, Case("", temporary, "MissingSecurityToken", "temporary", "Give security_token", 1))


def test_an_endpoint_that_refuses_connections_is_an_error(ansible):
    options = {"endpoint": f"https://127.0.0.1:{free_port()}"}
    one(ansible, Case("", options, None, "does not accept a connection", "firewalls"))


def test_an_endpoint_that_does_not_resolve_is_an_error(ansible):
    one(ansible, Case("", {"endpoint": "https://live.invalid"}, None, "cannot be resolved", "DNS"))


def test_an_endpoint_without_tls_is_an_error(cloud, ansible):
    options = {"endpoint": cloud.endpoint.replace("http:", "https:")}
    one(ansible, Case("", options, None, "does not speak TLS", "scheme"))


def test_an_untrusted_certificate_is_an_error(tls_cloud, ansible):
    one(ansible, Case("", {"endpoint": tls_cloud.endpoint}, None, "is not trusted", "ca_path"))
    assert not tls_cloud.calls()


def test_an_untrusted_certificate_is_accepted_without_validation(tls_cloud, ansible):
    tls_cloud.push(STREAM)
    options = {**NAMES, "endpoint": tls_cloud.endpoint, "validate_certs": False}
    assert ansible.play([{"name": "it", "apsaravideo.live.apsaravideo_record": options}]).result("it")["changed"]


def test_a_certificate_of_ca_path_is_accepted(tls_cloud, ansible):
    tls_cloud.push(STREAM)
    options = {**NAMES, "endpoint": tls_cloud.endpoint, "ca_path": tls_cloud.ca_path}
    assert ansible.play([{"name": "it", "apsaravideo.live.apsaravideo_record": options}]).result("it")["changed"]


def test_a_ca_path_without_a_certificate_is_an_error(tls_cloud, ansible, tmp_path):
    (tmp_path / "ca.pem").write_text("nothing", encoding="utf-8")
    options = {"endpoint": tls_cloud.endpoint, "ca_path": str(tmp_path / "ca.pem")}
    one(ansible, Case("", options, None, "CA certificates cannot be used", "ca_path"))


STRANGE = {
    "html": (answer(200, "<html>Welcome</html>", content_type="text/html"), "no usable response (HTTP 200", "endpoint"),
    "half json": (answer(200, '{"RequestId": "half'), "no usable response", "endpoint"),
    "truncated": (truncated('{"RequestId": "half'), "may or may not have taken effect", "Run again"),
    "redirect": (answer(302, "", location="https://elsewhere.example.net/"), "redirects elsewhere", "endpoint"),
    "proxy page": (answer(403, "<html>denied</html>"), "other than the cloud refused it", "proxy settings"),
    "gateway time-out": (answer(504, "<html>504</html>"), "HTTP 504", "run again"),
}


@pytest.mark.parametrize(("step", "words", "advice"), STRANGE.values(), ids=STRANGE)
def test_an_unexpected_response_is_an_error(ansible, step, words, advice):
    with ScriptedServer(step) as server:
        one(ansible, Case("", {"endpoint": server.url}, None, words, advice, 1))


def test_an_xml_error_is_read(ansible):
    body = "<Error><RequestId>R-1</RequestId><HostId>h</HostId><Code>Throttling</Code><Message>m</Message></Error>"
    with ScriptedServer(answer(400, body, content_type="text/xml;charset=utf-8")) as server:
        one(ansible, Case("", {"endpoint": server.url}, "Throttling", "quota of calls", "raise retry_timeout", 1))
