# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Responses of a hostile server and tracebacks show no secret, and unusable options fail clearly."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest

from support.playbook import STREAM, WAYS, Ansible, streams
from support.scripted import ScriptedServer, answer

RECORD = "apsaravideo.live.apsaravideo_record"
NAMES = streams([STREAM])["stream01"]
KEY_ID, SECRET, TOKEN = "LTAIplantedKeyId", "plantedAccessKeySecret", "CAISplanted/Token+with=="
FORMS = [form for secret in (KEY_ID, SECRET, TOKEN) for form in (secret, quote(secret, safe=""))]
ENVIRONMENT = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID,
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET,
    "ALIBABA_CLOUD_SECURITY_TOKEN": TOKEN,
}
BUG = """
import os
if os.environ.get("PLANTED"):
    from http.client import HTTPConnection
    def endheaders(self, *arguments, **named):
        try:
            raise KeyError(self._method, self._buffer)
        except KeyError as error:
            raise AttributeError(f"planted: {dict(os.environ)}") from error
    HTTPConnection.endheaders = endheaders
"""


def find_leaks(run):
    """Return the secrets, in any encoding, and the signatures that a run has displayed."""
    return [form for form in FORMS if form in run.output] + re.findall("Signature=[0-9A-Za-z]+", run.output)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_traceback_shows_the_line_but_no_secret(cloud, tmp_path, way):
    (tmp_path / "planted").mkdir()
    (tmp_path / "planted" / "sitecustomize.py").write_text(BUG, encoding="utf-8")
    ansible = Ansible(tmp_path, {**ENVIRONMENT, "APSARAVIDEO_ENDPOINT": cloud.endpoint})
    environ = {"PYTHONPATH": str(tmp_path / "planted"), "PLANTED": "yes", "ANSIBLE_DISPLAY_TRACEBACK": "always"}
    run = ansible.play([{"name": "start", RECORD: NAMES}], "-vvv", environ=environ, **way)
    assert run.exit_code == 2 and find_leaks(run) == []
    output = " ".join(run.output.split())
    assert "AttributeError: planted: {" in output and ", caused by KeyError: ('POST', [b'POST /?" in output
    assert "Traceback (most recent call last)" in output and "in post" in output


ECHO = f"{KEY_ID} {SECRET} {TOKEN} {quote(TOKEN, safe='')}"
HOSTILE = {
    "message": answer(400, json.dumps({"RequestId": "R", "Code": "New", "Message": ECHO})),
    "string to sign": answer(400, json.dumps({"RequestId": "R", "Code": "New", "Message": f"string to sign:{ECHO}"})),
    "code": answer(400, json.dumps({"RequestId": "R", "Code": f"New.{SECRET}", "Message": "m"})),
    "request id": answer(400, json.dumps({"RequestId": SECRET, "Code": "New", "Message": "m"})),
    "request id of a success": answer(200, json.dumps({"RequestId": TOKEN})),
    "xml": answer(400, f"<Error><RequestId>R</RequestId><Code>New</Code><Message>{ECHO}</Message></Error>"),
    "html": answer(403, f"<html>{ECHO}</html>", content_type=f"text/html; x={SECRET}"),
    "content type": answer(403, "no", content_type=f"text/{SECRET}"),
    "redirect": answer(307, ECHO, location=f"http://127.0.0.1:9/?{quote(TOKEN)}"),
    "nothing usable": answer(200, ECHO),
}


def test_secrets_echoed_by_a_server_are_not_displayed(tmp_path):
    tasks = [{"name": name, RECORD: {**NAMES, "retry_timeout": 0}, "ignore_errors": True} for name in HOSTILE]
    with ScriptedServer(*HOSTILE.values()) as server:
        ansible = Ansible(tmp_path, {**ENVIRONMENT, "APSARAVIDEO_ENDPOINT": server.url})
        run = ansible.play(tasks, "-vvv", "--diff")
    assert find_leaks(run) == []
    assert [run.result(name).get("changed") for name in HOSTILE].count(True) == 2, "those with status 200"
    assert "Traceback" not in run.output
    for name in HOSTILE:
        assert run.result(name)["api_calls"] == 1


LONG = "x" * 10_000
WRONG = {
    "long stream": ({"stream_name": LONG}, "stream_name has 10000 characters"),
    "long domain": ({"domain_name": LONG[:300]}, "is not a valid domain"),
    "long region": ({"region_id": LONG}, "region_id"),
    "long endpoint": ({"endpoint": f"https://{LONG}"}, "has no valid host"),
    "long wildcard": ({"stream_name": "*" * 10_000}, "takes no wildcard"),
    "region with a line end": ({"region_id": "cn-shanghai\r\nx-evil: 1"}, "is not a region ID"),
    "endpoint with a line end": (
        {"endpoint": "https://live.aliyuncs.com\r\nx-evil: 1"},
        "The endpoint is not a URL",
    ),
    "endpoint in letters outside ASCII": ({"endpoint": "https://直播.example.com"}, "has no valid host"),
    "endpoint with a password": ({"endpoint": f"https://user:{SECRET}@live.example.com"}, "more than scheme"),
    "endpoint with a password and no URL": ({"endpoint": f"ftp://user:{SECRET}@x"}, "is not a full URL"),
    "endpoint with a password for a port": ({"endpoint": f"https://user:{SECRET}@x:port"}, "is not a URL"),
    "key with a line end": ({"access_key_id": "a\nb", "access_key_secret": "c"}, "line end"),
    "token with a line end": ({"access_key_id": "a", "access_key_secret": "c", "security_token": "d\r\nx: y"}, "line"),
    "name with a control character": ({"app_name": "a\u0007b"}, "control character"),
    "no number": ({"retry_timeout": "nan"}, "retry_timeout is nan"),
    "infinite": ({"read_timeout": "inf"}, "read_timeout is inf"),
    "negative": ({"retry_timeout": -2}, "retry_timeout is -2"),
    "hardly a rate": ({"rate_limit": 1e-9}, "rate_limit is 1e-09"),
    "certificates at no path": ({"ca_path": "/dev/null/\u0007"}, "does not exist"),
}


def test_unusable_options_fail_clearly(cloud, tmp_path):
    tasks = [{"name": name, RECORD: {**NAMES, **case[0]}, "ignore_errors": True} for name, case in WRONG.items()]
    ansible = Ansible(tmp_path, {**ENVIRONMENT, "APSARAVIDEO_ENDPOINT": cloud.endpoint})
    run = ansible.play(tasks, "-vvv")
    assert "Traceback" not in run.output and cloud.calls() == []
    for name, (_options, words) in WRONG.items():
        result = run.result(name)
        assert words in result["msg"] and len(result["msg"]) < 1500, name
        assert "planted" not in result["msg"]
