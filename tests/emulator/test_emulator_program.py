# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program: its start, its switches, TLS and its end."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

import pytest
from apsaravideo_emulator.behaviour import Behaviour
from apsaravideo_emulator.cli import build_parser
from signing_client import SigningClient

from support.certificates import Authority
from support.emulator import PROGRAM, Emulator, EmulatorError

STREAM = {"DomainName": "live.example.com", "AppName": "app", "StreamName": "one"}
MAX_SECONDS_TO_END = 5
JSON = {"Content-Type": "application/json"}


def run(*arguments):
    return subprocess.run(
        [sys.executable, str(PROGRAM), *arguments], capture_output=True, text=True, timeout=30, check=False
    )


def is_alive(endpoint):
    with contextlib.suppress(OSError):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{endpoint}/_emulator/health", timeout=5) as response:
            return json.load(response)["status"] == "ok"
    return False


def wait_until_gone(pid):
    """Return whether a process ends within 5 seconds."""
    deadline = time.monotonic() + MAX_SECONDS_TO_END
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/stat", encoding="ascii") as file:
            if file.read().rpartition(")")[2].split()[0] == "Z":
                return True
        time.sleep(0.05)
    return False


@pytest.fixture
def background(tmp_path):
    """Return a function that starts a detached emulator; kill the processes that remain after the test."""
    pids = []

    def start(*arguments):
        result = run("--background", "--max-age=60", *arguments)
        assert result.returncode == 0, result.stderr
        ready = json.loads(result.stdout)
        pids.append(ready["pid"])
        return ready

    yield start
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_ready_line_is_printed_and_written(background, tmp_path):
    ready_file = tmp_path / "ready"
    ready = background(f"--ready-file={ready_file}")
    assert set(ready) == {"endpoint", "port", "pid", "ca_path"}
    assert ready["endpoint"] == f"http://127.0.0.1:{ready['port']}"
    assert json.loads(ready_file.read_text()) == ready
    assert is_alive(ready["endpoint"])


def test_shutdown_request_ends_the_program(background):
    ready = background()
    request = urllib.request.Request(f"{ready['endpoint']}/_emulator/shutdown", b"{}", JSON, method="POST")
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5).close()
    assert wait_until_gone(ready["pid"])
    assert not is_alive(ready["endpoint"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_the_program(number):
    process = subprocess.Popen([sys.executable, str(PROGRAM)], stdout=subprocess.PIPE, text=True)
    json.loads(process.stdout.readline())
    process.send_signal(number)
    assert process.wait(MAX_SECONDS_TO_END) == 0
    process.stdout.close()


def test_program_ends_with_its_parent(background):
    parent = subprocess.Popen(["sleep", "60"])
    ready = background(f"--parent={parent.pid}")
    time.sleep(0.6)
    assert is_alive(ready["endpoint"])
    parent.kill()
    # The parent is still a zombie here, which counts as ended.
    assert wait_until_gone(ready["pid"])
    parent.wait()


def test_program_ends_if_its_parent_has_ended_already(background):
    parent = subprocess.Popen(["true"])
    parent.wait()
    ready = background(f"--parent={parent.pid}")
    assert wait_until_gone(ready["pid"])


def test_program_ends_at_its_maximum_age(background):
    ready = background("--max-age=0.5")
    assert wait_until_gone(ready["pid"])


def test_background_process_is_detached(background):
    ready = background()
    assert os.getsid(ready["pid"]) == ready["pid"]


def test_directory_is_removed_at_exit(background, tmp_path):
    directory = tmp_path / "made"
    directory.mkdir()
    ready = background(f"--remove-at-exit={directory}", f"--tls-generate={directory}/tls")
    assert (directory / "tls" / "emulator.crt").exists()
    os.kill(ready["pid"], signal.SIGTERM)
    assert wait_until_gone(ready["pid"])
    assert not directory.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host=0.0.0.0"], "not a loopback address"),
        (["--host=192.0.2.1"], "not a loopback address"),
        (["--host=example.com"], "example.com"),
        (["--port=99999"], "port"),
        (["--idle-stop=perhaps"], "invalid choice"),
        (["--throttle-status=500"], "invalid choice"),
        (["--latency=-1"], "must be a number"),
        (["--limit=RealTimeRecordCommand"], "NAME=N"),
        (["--limit=RealTimeRecordCommand=x"], "a limit is"),
        (["--other-client=X=y"], "a rate is"),
        (["--http-status=Forbidden.RAM=200"], "from 400 to 599"),
        (["--generation-of=RealTimeRecordCommand=newest"], "a generation is one of old, new"),
        (["--scenario=/nonexistent"], "cannot read the scenario"),
        (["--tls-cert=x"], "go together"),
        (["--tls-cert=/nonexistent", "--tls-key=/nonexistent"], "cannot use the certificate"),
        (["--tls-cert=x", "--tls-key=y", "--tls-generate=z"], "do not give one"),
    ],
)
@pytest.mark.parametrize("how", [[], ["--background"]])
def test_invalid_command_lines_are_refused(arguments, message, how):
    result = run(*how, *arguments)
    assert result.returncode != 0
    assert message in result.stderr
    assert result.stdout == ""


def test_port_in_use_is_refused(background):
    first = background()
    result = run("--background", f"--port={first['port']}")
    assert result.returncode != 0
    assert "in use" in result.stderr


def test_support_class_raises_the_error_message():
    with pytest.raises(EmulatorError, match="not a loopback address"), Emulator(host="0.0.0.0"):
        pass


def test_every_behaviour_has_a_switch():
    options = {action.dest for action in build_parser()._actions}
    assert {field.name for field in dataclasses.fields(Behaviour)} <= options


def test_switches_reach_the_gateway():
    limits, generations = {"DescribeLiveStreamState": "1/60"}, {"DescribeLiveStreamRecordContent": "new"}
    options = {"throttle_status": 429, "retry_after": True, "limit": limits}
    with Emulator(generation="old", generation_of=generations, **options) as cloud:
        client = SigningClient(cloud.endpoint)
        assert client.call("DescribeLiveStreamRecordContent").code == "MissingParam"
        not_found = client.call("RealTimeRecordCommand", Command="start", **STREAM)
        assert (not_found.status, not_found.code) == (404, "InvalidStream.NotFound")
        client.call("DescribeLiveStreamState", **STREAM)
        throttled = client.call("DescribeLiveStreamState", **STREAM)
        assert throttled.status == 429
        assert "x-acs-retry-after" in throttled.headers
        cloud.behave(generation="new")
        cloud.reset()
        assert client.call("RealTimeRecordCommand", Command="start", **STREAM).code == "InvalidStream.NotFound"


SCENARIO = {
    "accounts": [
        {
            "id": "7",
            "users": [{"name": "reader", "allow": ["live:Describe*"]}],
            "roles": [{"name": "guest", "allow": [], "external_id": "x", "max_session_seconds": 1800}],
            "access_keys": [{"id": "key", "secret": "secret", "user": "reader"}],
            "domains": [
                {"name": "play.example.net", "ingest": ["in.example.net"]},
                {"name": "alone.example.net", "status_url": "http://x.example.com/status"},
            ],
            "ingest_notify_configs": [
                {
                    "DomainName": "in.example.net",
                    "NotifyUrl": "http://x.example.com/pushes",
                    "NotifyReqAuth": "yes",
                    "NotifyAuthKey": "0123456789abcdef",
                }
            ],
            "record_configs": [
                {
                    "DomainName": "play.example.net",
                    "AppName": "app",
                    "OnDemand": 0,
                    "OssBucket": "b",
                    "OssEndpoint": "e",
                    "RecordFormat": [{"Format": "mp4", "OssObjectPrefix": "{StartTime}{EndTime}"}],
                }
            ],
        }
    ],
    "streams": [{"domain_name": "in.example.net", "app_name": "app", "stream_name": "one"}],
}


def test_scenario_creates_accounts_and_streams():
    with Emulator(scenario=SCENARIO) as cloud:
        stream = cloud.stream("play.example.net/app/one")
        assert (stream["online"], stream["recording"]) == (True, "recording")
        client = SigningClient(cloud.endpoint, ("key", "secret"))
        names = {**STREAM, "DomainName": "play.example.net"}
        assert client.call("DescribeLiveStreamState", **names).json["StreamState"] == "online"
        assert client.call("RealTimeRecordCommand", Command="stop", **names).code == "Forbidden.RAM"
        assert cloud.state()["ingest_notify_configs"] == {
            "in.example.net": {"url": "http://x.example.com/pushes", "auth": True},
            "alone.example.net": {"url": "http://x.example.com/status", "auth": False},
        }


def test_pulled_streams_of_a_scenario_are_online_with_viewers():
    names = dict.fromkeys(("domain_name", "app_name"), "play.example.net")
    streams = [
        {**names, "stream_name": name, "mode": "pull", **viewers}
        for name, viewers in {"watched": {"viewers": 2}, "by default": {}, "alone": {"viewers": 0}}.items()
    ]
    with Emulator(scenario={**SCENARIO, "streams": streams}) as cloud:
        found = {row["stream_name"]: (row["online"], row["viewers"]) for row in cloud.state()["streams"]}
        assert found == {"watched": (True, 2), "by default": (True, 1)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accounts": [{}]}, "documented form"),
        ({"accounts": [{"id": "1", "access_keys": [{"id": "a", "secret": "b", "user": "c"}]}]}, "unknown user c"),
        ({"accounts": [{"id": "1", "record_configs": [{"DomainName": "d"}]}]}, "MissingParam"),
        ({"accounts": [{"id": "1", "ingest_notify_configs": [{"DomainName": "d"}]}]}, "InvalidDomain.NotFound"),
        ({"streams": [{"domain_name": "d", "app_name": "a", "stream_name": "s"}]}, "unknown domain d"),
        ({"streams": [{"domain_name": "d", "app_name": "a", "stream_name": "s", "mode": "fly"}]}, "push or pull"),
    ],
)
def test_invalid_scenario_is_refused(change, message):
    with pytest.raises(EmulatorError, match=message), Emulator(scenario=change):
        pass


def test_scenario_that_is_not_an_object_is_refused(tmp_path):
    file = tmp_path / "scenario.json"
    file.write_text("[]")
    assert "not a JSON object" in run(f"--scenario={file}").stderr


# TLS


@pytest.fixture(scope="module")
def secure():
    with Emulator(tls=True) as cloud:
        yield cloud
        assert cloud.error_output() == ""


def test_generated_certificate_is_trusted(secure):
    assert secure.endpoint.startswith("https://127.0.0.1:")
    client = SigningClient(secure.endpoint, ca=secure.ca_path)
    assert client.call("DescribeLiveStreamState", **STREAM).json["StreamState"] == "offline"


def test_generated_certificate_is_valid_for_localhost(secure):
    context = ssl.create_default_context(cafile=secure.ca_path)
    address = ("127.0.0.1", secure.port)
    plain = socket.create_connection(address, timeout=5)
    with context.wrap_socket(plain, server_hostname="localhost") as wrapped:
        assert wrapped.version() in ("TLSv1.2", "TLSv1.3")
    with socket.create_connection(address, timeout=5) as plain, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")


def test_https_satisfies_the_tls_requirement(secure):
    secure.reset()
    secure.behave(require_tls="on")
    client = SigningClient(secure.endpoint, ca=secure.ca_path)
    assert client.call("DescribeLiveStreamState", **STREAM).status == 200


def test_silent_clients_do_not_delay_others(secure):
    silent = [socket.create_connection(("127.0.0.1", secure.port), timeout=5) for _number in range(20)]
    started = time.monotonic()
    assert secure.control("GET", "health")["status"] == "ok"
    assert time.monotonic() - started < 4, "less than a client may be silent"
    for one in silent:
        one.close()


@pytest.mark.parametrize("fault", ["reset_before", "reset_after"])
def test_reset_faults_reset_tls_connections(secure, fault):
    secure.reset()
    secure.fault(fault, times=1)
    client = SigningClient(secure.endpoint, ca=secure.ca_path)
    # Python's ssl module hides the reset, so that this is the subclass RemoteDisconnected.
    with pytest.raises(ConnectionResetError):
        client.call("DescribeLiveStreamState", **STREAM)
    assert client.call("DescribeLiveStreamState", **STREAM).status == 200


def test_given_certificate_is_served(secure):
    directory = os.path.dirname(secure.ca_path)
    with Emulator(tls_cert=f"{directory}/emulator.crt", tls_key=f"{directory}/emulator.key") as cloud:
        assert cloud.ca_path == f"{directory}/emulator.crt"
        assert cloud.control("GET", "health")["status"] == "ok"


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    return [Authority(tmp_path_factory.mktemp(name), name) for name in ("trusted", "stranger")]


def test_certificate_of_an_authority_is_trusted_only_by_its_clients(authorities):
    trusted, stranger = authorities
    issued = trusted.issue("localhost", "127.0.0.1")
    with Emulator(tls_cert=issued, tls_key=issued, ca_path=trusted.ca_path) as cloud:
        assert cloud.ca_path == trusted.ca_path
        client = SigningClient(cloud.endpoint, ca=trusted.ca_path)
        assert client.call("DescribeLiveStreamState", **STREAM).status == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            SigningClient(cloud.endpoint, ca=stranger.ca_path).call("DescribeLiveStreamState", **STREAM)


@pytest.mark.parametrize(("name", "days", "message"), [("elsewhere", 2, "mismatch"), ("127.0.0.1", -1, "expired")])
def test_invalid_certificates_are_refused_by_clients(authorities, name, days, message):
    issued, ca_path = authorities[0].issue(name, days=days), authorities[0].ca_path
    with Emulator(tls_cert=issued, tls_key=issued, ca_path=ca_path) as cloud:
        client = SigningClient(cloud.endpoint, ca=ca_path)
        with pytest.raises(ssl.SSLCertVerificationError, match=message):
            client.call("DescribeLiveStreamState", **STREAM)


def test_tls_generate_without_openssl_is_refused(tmp_path):
    result = subprocess.run(
        [sys.executable, str(PROGRAM), f"--tls-generate={tmp_path}"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={"PATH": str(tmp_path)},
    )
    assert result.returncode != 0
    assert "openssl command" in result.stderr


def test_program_listens_on_ipv6_loopback():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with Emulator(host="::1") as cloud:
        assert cloud.control("GET", "health")["status"] == "ok"


def test_readme_names_every_switch():
    readme = (PROGRAM.parents[1] / "README.md").read_text(encoding="utf-8")
    for action in build_parser()._actions:
        if action.dest not in ("help", "version"):
            assert re.search(rf"{action.option_strings[-1]}\b", readme), action.dest
    for field in dataclasses.fields(Behaviour):
        for choice in field.metadata.get("choices", ()):
            assert f"`{choice}`" in readme, (field.name, choice)
