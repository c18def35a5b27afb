# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded files over HTTP: their content, ranges, marks, and the log of requests."""

from __future__ import annotations

import http.client
import re
import struct
import time
from urllib.parse import urlsplit

import pytest
from signing_client import SigningClient

from support.emulator import Emulator, EmulatorError

ONE = "live.example.com/app/one"
STREAM = {"DomainName": "live.example.com", "AppName": "app", "StreamName": "one"}


@pytest.fixture(autouse=True)
def recorded(cloud):
    """Record a stream for 100 s in m3u8 and mp4, with URLs that point at the emulator."""
    cloud.behave(files="served")
    cloud.script(ONE, (0, "push"), (0, "start"), (100, "stop"), (101, "cancel_delay"))
    cloud.advance(200)


def url(cloud, kind):
    return next(file["url"] for file in cloud.stream(ONE)["files"] if file["format"] == kind)


def fetch(address, method="GET", **headers):
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, headers={name.replace("_", "-"): text for name, text in headers.items()})
        response = connection.getresponse()
        return response.status, {name.lower(): text for name, text in response.getheaders()}, response.read()
    finally:
        connection.close()


def index_files(client):
    now = time.time()
    start, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + offset)) for offset in (-3600, 60))
    response = client.call("DescribeLiveStreamRecordIndexFiles", **STREAM, StartTime=start, EndTime=end)
    return response.json["RecordIndexInfoList"]["RecordIndexInfo"]


def test_record_url_leads_to_a_playlist_as_long_as_the_recording(cloud, client):
    (row,) = index_files(client)
    status, headers, body = fetch(row["RecordUrl"])
    text = body.decode()
    assert (status, headers["content-type"], int(headers["content-length"])) == (
        200,
        "application/x-mpegURL",
        len(body),
    )
    assert text.startswith("#EXTM3U\n")
    assert text.endswith("#EXT-X-ENDLIST\n")
    assert sum(float(length) for length in re.findall(r"#EXTINF:([\d.]+)", text)) == pytest.approx(row["Duration"])


def test_segments_of_a_playlist_can_be_read(cloud):
    playlist = url(cloud, "m3u8")
    names = [line for line in fetch(playlist)[2].decode().splitlines() if line.endswith(".ts")]
    assert len(names) == 4
    base = playlist.rpartition("/")[0]
    assert {(fetch(f"{base}/{name}")[0], fetch(f"{base}/{name}")[2][:1]) for name in names} == {(200, b"\x47")}
    assert fetch(f"{base}/{names[0].replace('_0.ts', '_4.ts')}")[0] == 404


def test_mp4_begins_with_its_type_and_states_its_duration(cloud):
    body = fetch(url(cloud, "mp4"))[2]
    assert body[4:12] == b"ftypisom"
    position = body.index(b"mvhd") + 4
    scale, duration = struct.unpack(">II", body[position + 12 : position + 20])
    assert duration / scale == pytest.approx(100, abs=0.01)
    assert body == fetch(url(cloud, "mp4"))[2]


def test_flv_begins_with_its_signature():
    config = {
        "DomainName": "f.example.com",
        "AppName": "*",
        "StreamName": "*",
        "OnDemand": 0,
        "OssBucket": "b",
        "OssEndpoint": "oss.example.com",
        "RecordFormat": [{"Format": "flv", "OssObjectPrefix": "{AppName}/{StartTime}_{EndTime}"}],
    }
    account = {"id": "1", "domains": [{"name": "f.example.com"}], "record_configs": [config]}
    stream = {"domain_name": "f.example.com", "app_name": "app", "stream_name": "one"}
    timeline = [{**stream, "steps": [{"after": 0, "do": "push"}, {"after": 60, "do": "drop"}]}]
    with Emulator(scenario={"accounts": [account], "timeline": timeline}, files="served") as emulator:
        emulator.advance(600)
        (file,) = emulator.stream("f.example.com/app/one")["files"]
        assert fetch(file["url"])[2][:5] == b"FLV\x01\x05"


def test_object_names_are_percent_encoded(cloud):
    strange = "live.example.com/app/a b#?%/c"
    cloud.script(strange, (0, "push"), (0, "start"), (60, "restart"))
    cloud.advance(70)
    address = cloud.stream(strange)["files"][0]["url"]
    assert "a%20b%23%3F%25/c" in address
    assert fetch(address)[0] == 200


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [("bytes=0-9", 0, 10), ("bytes=10-", 10, None), ("bytes=-5", -5, None), ("bytes=5-999999", 5, None)],
)
def test_range_inside_a_file_is_sent(cloud, wanted, start, stop):
    whole = fetch(url(cloud, "mp4"))[2]
    status, headers, body = fetch(url(cloud, "mp4"), range=wanted)
    first = start % len(whole)
    assert (status, body) == (206, whole[start:stop])
    assert headers["content-range"] == f"bytes {first}-{first + len(body) - 1}/{len(whole)}"
    assert headers["accept-ranges"] == "bytes"


def test_range_behind_a_file_is_refused(cloud):
    size = len(fetch(url(cloud, "mp4"))[2])
    status, headers, body = fetch(url(cloud, "mp4"), range=f"bytes={size}-")
    assert (status, headers["content-range"], body) == (416, f"bytes */{size}", b"")
    assert fetch(url(cloud, "mp4"), range="bytes=-0")[0] == 416


@pytest.mark.parametrize("wanted", ["bytes=9-5", "bytes=-", "bytes=0-1,5-6", "lines=0-1", "bytes=a-b"])
def test_invalid_range_is_ignored(cloud, wanted):
    assert fetch(url(cloud, "mp4"), range=wanted)[0] == 200


def test_range_beyond_the_end_means_the_whole_file_as_oss_documents(cloud):
    cloud.behave(file_ranges="oss")
    address = url(cloud, "mp4")
    assert [fetch(address, range="bytes=0-9")[0], fetch(address, range="bytes=0-99999")[0]] == [206, 200]
    assert fetch(address, range="bytes=99999-")[0] == 200
    assert fetch(address, range="bytes=99999-", x_oss_range_behavior="standard")[0] == 416


def test_head_has_the_headers_of_get_and_no_body(cloud):
    _status, headers, body = fetch(url(cloud, "mp4"))
    status, head, nothing = fetch(url(cloud, "mp4"), "HEAD")
    assert (status, nothing, head["content-length"], head["etag"]) == (200, b"", str(len(body)), headers["etag"])
    assert fetch(url(cloud, "mp4"), "HEAD", range="bytes=0-0")[0] == 206


@pytest.mark.parametrize(("state", "expected"), [("missing", (404, b"NoSuchKey")), ("private", (403, b"AccessDenied"))])
def test_file_that_cannot_be_read_is_an_error_and_still_listed(cloud, client, state, expected):
    cloud.mark_files(stream_name="one", state=state)
    status, _headers, body = fetch(url(cloud, "m3u8"))
    assert status == expected[0]
    assert expected[1] in body
    assert len(index_files(client)) == 1


def test_damaged_files_differ_from_the_whole_one(cloud):
    address = url(cloud, "mp4")
    whole = fetch(address)[2]
    bodies = {}
    for state in ("empty", "truncated", "damaged", "ok"):
        cloud.mark_files(format="mp4", state=state)
        status, headers, bodies[state] = fetch(address)
        assert (status, int(headers["content-length"])) == (200, len(bodies[state]))
    assert bodies["empty"] == b""
    assert bodies["truncated"] == whole[: len(whole) // 2]
    assert bodies["damaged"][:8] == b"\0" * 8
    assert bodies["damaged"][64:] == whole[64:]
    assert bodies["ok"] == whole


def test_huge_file_sends_ranges_of_its_terabyte(cloud):
    cloud.mark_files(
        object=next(file["object"] for file in cloud.stream(ONE)["files"] if file["format"] == "mp4"), state="huge"
    )
    assert fetch(url(cloud, "mp4"), "HEAD")[1]["content-length"] == str(1 << 40)
    status, headers, body = fetch(url(cloud, "mp4"), range=f"bytes={(1 << 40) - 3}-")
    assert (status, body, headers["content-range"]) == (206, b"\0" * 3, f"bytes 1099511627773-1099511627775/{1 << 40}")
    assert fetch(url(cloud, "mp4"), range="bytes=4-7")[2] == b"ftyp"


def test_endless_file_ignores_ranges_and_has_no_length(cloud):
    cloud.mark_files(format="mp4", state="endless")
    parts = urlsplit(url(cloud, "mp4"))
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request("GET", parts.path, headers={"Range": "bytes=0-9"})
    response = connection.getresponse()
    assert (response.status, response.getheader("Content-Length")) == (200, None)
    assert len(response.read(1 << 20)) == 1 << 20
    connection.close()
    assert cloud.control("GET", "health")["status"] == "ok"


def test_file_without_ranges_is_sent_whole(cloud):
    cloud.mark_files(format="mp4", state="no_ranges")
    status, headers, body = fetch(url(cloud, "mp4"), range="bytes=0-9")
    assert (status, "accept-ranges" in headers, len(body) > 10) == (200, False, True)


def test_slow_file_delays_only_its_own_responses(cloud):
    cloud.mark_files(format="mp4", seconds=0.5)
    began = time.monotonic()
    fetch(url(cloud, "m3u8"))
    assert time.monotonic() - began < 0.4
    began = time.monotonic()
    assert fetch(url(cloud, "mp4"))[0] == 200
    assert time.monotonic() - began >= 0.5


def test_unlisted_file_exists_and_is_in_no_list(cloud, client):
    (row,) = index_files(client)
    cloud.mark_files(domain_name="push.example.com", format="m3u8", listed=False)
    assert index_files(client) == []
    response = client.call("DescribeLiveStreamRecordIndexFile", **STREAM, RecordId=row["RecordId"])
    assert response.status == 400
    assert fetch(row["RecordUrl"])[0] == 200
    cloud.control("DELETE", "files")
    assert index_files(client) == [row]


def test_unknown_files_and_methods_are_errors(cloud):
    address = url(cloud, "mp4")
    assert b"NoSuchKey" in fetch(f"{address}x")[2]
    assert b"NoSuchBucket" in fetch(f"{cloud.endpoint}/files/other/x.mp4")[2]
    assert fetch(address, "DELETE")[0] == 405


def test_requests_for_files_are_logged_with_the_names_of_their_headers(cloud):
    cloud.clear_calls()
    address = url(cloud, "mp4")
    fetch(address, range="bytes=0-9", X_Custom="secret")
    fetch(address, "HEAD")
    first, second = cloud.file_calls()
    assert (first["action"], first["http_status"], first["params"]["range"]) == ("GetObject", 206, "bytes=0-9")
    assert first["params"]["bucket"] == "recordings"
    assert first["params"]["object"].endswith(".mp4")
    assert first["params"]["headers"] == "accept-encoding,host,range,x-custom"
    assert "secret" not in str(first)
    assert (second["action"], "range" in second["params"]) == ("HeadObject", False)


@pytest.mark.parametrize("header", ["Authorization", "Cookie", "x-acs-security-token", "x-oss-security-token"])
def test_request_with_credentials_is_refused_and_logged_without_them(cloud, header):
    status, _headers, body = fetch(url(cloud, "mp4"), **{header: "secret"})
    assert (status, b"InvalidAccessKeyId" in body) == (403, True)
    call = cloud.file_calls()[-1]
    assert (call["code"], header.lower() in call["params"]["headers"].split(",")) == ("InvalidAccessKeyId", True)
    assert "secret" not in str(call)


@pytest.mark.parametrize("name", ["Signature", "OSSAccessKeyId", "AccessKeyId", "security-token", "x-oss-signature"])
def test_request_with_a_signature_in_its_query_is_refused(cloud, name):
    assert fetch(f"{url(cloud, 'mp4')}?{name}=secret")[0] == 403
    call = cloud.file_calls()[-1]
    assert (call["params"]["query"], "secret" in str(call)) == (name.lower(), False)


def test_urls_lead_to_the_bucket_unless_files_are_served(cloud, client):
    cloud.behave(files="unserved")
    (row,) = index_files(client)
    assert row["RecordUrl"] == f"http://{row['OssBucket']}.{row['OssEndpoint']}/{row['OssObject']}"


def test_callback_names_the_url_of_a_file_if_the_switch_says_so(cloud, client):
    def uris():
        now = time.time()
        start, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + offset)) for offset in (-3600, 60))
        response = client.call(
            "DescribeLiveRecordNotifyRecords",
            DomainName="live.example.com",
            StartTime=start,
            EndTime=end,
            PageNumber=1,
            PageSize=100,
        )
        return re.findall(r'\\"uri\\":\\"([^\\]+)', response.body.decode())

    assert len(uris()) == 2
    assert all(text.startswith("record/app/one/") for text in uris())
    cloud.behave(callback_uri="url")
    assert {fetch(text)[0] for text in uris()} == {200}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"state": "gone"}, "the state of a file is one of"),
        ({"listed": "no"}, "listed is true or false"),
        ({"seconds": -1}, "delayed by 0 to"),
        ({"colour": "red"}, "a file has no colour"),
    ],
)
def test_invalid_marks_are_refused(cloud, fields, message):
    with pytest.raises(EmulatorError, match=message):
        cloud.mark_files(**fields)


def test_marks_and_pending_steps_survive_a_restart():
    with Emulator(files="served") as emulator:
        emulator.script(ONE, (0, "push"), (0, "start"), (60, "restart"), (1000, "drop"))
        emulator.advance(70)
        emulator.mark_files(format="mp4", state="missing")
        emulator.restart()
        assert emulator.state()["pending_steps"] == 1
        assert [fetch(url(emulator, kind))[0] for kind in ("mp4", "m3u8")] == [404, 200]
        emulator.advance(1000)
        assert emulator.stream(ONE)["online"] is False


def test_file_host_needs_no_account():
    with Emulator() as emulator:
        assert SigningClient(emulator.endpoint).send("GET", "/files/a/b", {}).status == 404
