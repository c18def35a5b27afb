# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""apsaravideo_record_config against the emulator, under every behaviour that the documentation leaves open.

What is asserted is what the cloud saw and what became of it, beside what the operation reports.
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._module import record_config
from support import configurations
from support.operation import Rival, actions, comparable, made_task, operated
from support.playbook import WAYS, Ansible, environment

MODULE = "apsaravideo.live.apsaravideo_record_config"
DOMAIN = "live.example.com"
READ, ADD, UPDATE, DELETE = (
    "DescribeLiveRecordConfig",
    "AddLiveAppRecordConfig",
    "UpdateLiveAppRecordConfig",
    "DeleteLiveAppRecordConfig",
)
PREFIX = "{AppName}/{StreamName}/{StartTime}_{EndTime}"
SLICES = "{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}"
M3U8 = {"format": "m3u8", "oss_object_prefix": PREFIX, "slice_oss_object_prefix": SLICES}
NEWS = {
    "app_name": "news",
    "oss_bucket": "recordings",
    "oss_endpoint": "oss-cn-shanghai.aliyuncs.com",
    "formats": [{"format": "mp4"}],
}

VARIANTS = [
    dict(zip(("generation", "update_formats", "record_format_case", "delete_missing"), values))
    for values in itertools.product(("old", "new"), ("merge", "replace"), ("as-given", "upper"), ("ok", "error"))
]


@pytest.fixture(params=VARIANTS, ids=lambda variant: "-".join(variant.values()))
def variant(request, cloud):
    cloud.behave(**request.param)
    return request.param


def configure(cloud, check_mode=False, rival=None, **options):
    return operated(record_config, cloud, check_mode, rival, **{"domain_name": DOMAIN, **options})


def stored(cloud, app="news", stream="*"):
    """Return the emulator's configuration, or None."""
    found = [row for row in cloud.state()["record_configs"] if (row["app"], row["stream"]) == (app, stream)]
    return found[0] if found else None


def summary(result):
    assert not result.get("failed"), result
    return result["changed"], result["replaced"]


def test_create_repeat_change_and_delete(cloud, variant):
    check = configure(cloud, check_mode=True, **NEWS)
    assert (summary(check), actions(cloud), stored(cloud)) == ((True, False), [READ], None)
    created = configure(cloud, **NEWS)
    assert (summary(created), actions(cloud)) == ((True, False), [READ, ADD, READ])
    assert created["before"] is None and created["diff"]["before"] == {}
    assert stored(cloud)["mode"] == 7 and stored(cloud)["bucket"] == "recordings"
    assert list_differences(check["config"], created["config"]) == []
    again = configure(cloud, **NEWS)
    assert (summary(again), actions(cloud)) == ((False, False), [READ])
    assert again["config"] == again["before"] == created["config"] and "warnings" not in again
    number = stored(cloud)["number"]
    check = configure(cloud, check_mode=True, **NEWS, delay_time=300)
    assert (summary(check), actions(cloud), stored(cloud)["delay"]) == ((True, False), [READ], 180)
    changed = configure(cloud, **NEWS, delay_time=300)
    assert (summary(changed), actions(cloud)) == ((True, False), [READ, UPDATE, READ])
    assert (stored(cloud)["delay"], stored(cloud)["number"]) == (300, number)
    assert changed["before"] == created["config"] and check["config"] == changed["config"]
    check = configure(cloud, check_mode=True, **{**NEWS, "oss_bucket": "archive"})
    assert (summary(check), actions(cloud), stored(cloud)["bucket"]) == ((True, True), [READ], "recordings")
    replaced = configure(cloud, **{**NEWS, "oss_bucket": "archive"})
    assert (summary(replaced), actions(cloud)) == ((True, True), [READ, DELETE, ADD, READ])
    assert (stored(cloud)["bucket"], stored(cloud)["delay"]) == ("archive", 300), "what was not set is taken over"
    check = configure(cloud, check_mode=True, app_name="news", state="absent")
    assert (summary(check), actions(cloud), check["config"]) == ((True, False), [READ], None)
    assert stored(cloud)
    removed = configure(cloud, app_name="news", state="absent")
    assert (summary(removed), actions(cloud)) == ((True, False), [READ, DELETE, READ])
    assert removed["config"] is None and removed["before"] == replaced["config"] and stored(cloud) is None
    again = configure(cloud, app_name="news", state="absent")
    assert (summary(again), actions(cloud), again["before"]) == ((False, False), [READ], None)
    assert stored(cloud, "*", "*"), "the configuration of all streams was not touched"


def list_differences(predicted, config, place="config"):
    """Return the places at which a prediction differs from the configuration."""
    if isinstance(predicted, dict):
        assert set(predicted) == set(config)
        return [
            found for name in predicted for found in list_differences(predicted[name], config[name], f"{place}.{name}")
        ]
    if isinstance(predicted, list) and len(predicted) == len(config):
        return [
            found
            for number, row in enumerate(predicted)
            for found in list_differences(row, config[number], f"{place}[{number}]")
        ]
    return [] if predicted is None or predicted == config else [(place, predicted, config)]


# --- generated options and behaviors ---------------------------------------------------------------------------------

NO_LIMITS = dict.fromkeys((READ, ADD, UPDATE, DELETE), 100_000)
BEHAVIOURS = st.sampled_from(VARIANTS)


def drop_random_values(config):
    return {name: value for name, value in config.items() if name != "create_time"}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(configurations.PAIRS, BEHAVIOURS)
def test_options_read_back_are_unchanged_when_given_again(cloud, pair, behaviour):
    cloud.reset()
    cloud.behave(**behaviour, limits=NO_LIMITS)
    for wanted in pair:
        names = {name: wanted[name] for name in ("app_name", "stream_name")}
        check = configure(cloud, check_mode=True, **wanted)
        real = configure(cloud, **wanted)
        assert summary(check) == summary(real)
        assert list_differences(check["config"], real["config"]) == []
        assert check["before"] == real["before"]
        configs = made_task(record_config, cloud, domain_name=DOMAIN).open_live().record_configs(DOMAIN)
        (read,) = [row for row in configs if names.items() <= row.items()]
        assert read == real["config"], "it is what apsaravideo_record_info reads"
        for options in (wanted, drop_random_values(read)):
            again = configure(cloud, **options)
            assert summary(again) == (False, False) and again["config"] == read
        made = [action for action in actions(cloud) if action != READ]
        assert made in ([ADD], [UPDATE], [DELETE, ADD]) if real["changed"] else made == []
        assert real["replaced"] is (made == [DELETE, ADD])
        warnings = real.get("warnings", [])
        formats = [*(wanted.get("formats") or []), *(wanted.get("transcode_formats") or [])]
        doubtful = sum(not 900 <= (row["cycle_duration"] or 900) <= 21600 for row in formats)
        assert sum("cycle_duration is" in warning for warning in warnings) == doubtful * real["changed"]
        assert sum("next push" in warning for warning in warnings) == real["changed"]
        assert len(warnings) == (1 + doubtful) * real["changed"]


@pytest.mark.parametrize(("seconds", "is_doubtful"), [(899, True), (900, False), (21_600, False), (21_601, True)])
def test_an_undocumented_duration_is_sent_with_a_warning(cloud, seconds, is_doubtful):
    options = {**NEWS, "formats": [{"format": "mp4", "cycle_duration": seconds}]}
    for check_mode in (True, False):
        result = configure(cloud, check_mode=check_mode, **options)
        warned = [warning for warning in result.get("warnings", []) if "next push" not in warning]
        assert ["formats[0].cycle_duration is" in warning for warning in warned] == [True] * is_doubtful
    assert result["config"]["formats"][0]["cycle_duration"] == seconds
    assert "warnings" not in configure(cloud, **options), "the cloud has taken it"


# --- lost responses and races -----------------------------------------------------------------------------------------

LOST = ["reset_after", "half_json", "truncate", "empty"]
NEVER_ARRIVED = ["reset_before", "html"]


@pytest.mark.parametrize("retry_timeout", [0, 30])
@pytest.mark.parametrize("fault", LOST)
def test_an_add_whose_response_was_lost_is_a_change(cloud, fault, retry_timeout):
    cloud.fault(fault, action=ADD, times=1)
    result = configure(cloud, **NEWS, retry_timeout=retry_timeout)
    assert (summary(result), actions(cloud)) == ((True, False), [READ, ADD, READ, READ])
    assert result["before"] is None and stored(cloud)


@pytest.mark.parametrize("fault", NEVER_ARRIVED)
def test_an_add_that_did_not_arrive_is_repeated_after_a_read(cloud, fault):
    cloud.fault(fault, action=ADD, times=1, processed=False)
    result = configure(cloud, **NEWS, retry_timeout=30)
    assert summary(result) == (True, False)
    made = actions(cloud)
    assert made in ([READ, ADD, READ, ADD, READ], [READ, READ, ADD, READ]), made
    assert stored(cloud)


def test_an_add_that_arrives_late_is_a_change(cloud, rival):
    """It is missing when the task reads, and present when the add is repeated."""
    cloud.fault("half_json", action=ADD, times=1, processed=False)
    rival.before(2, ADD, lambda: configure(cloud, **NEWS))
    result = configure(cloud, rival=rival, **NEWS, retry_timeout=30)
    assert summary(result) == (True, False)
    assert [call["code"] for call in cloud.calls(ADD)] == [None, None, "CodeConfigAlreadyExists"]


def test_nothing_is_repeated_without_a_retry_timeout(cloud):
    cloud.fault("half_json", action=ADD, processed=False)
    result = configure(cloud, **NEWS)
    assert result["failed"] and result["changed"], "it may still arrive"
    assert "found nothing changed" in result["msg"]
    assert actions(cloud) == [READ, ADD, READ]


@pytest.mark.parametrize("missing", ["ok", "error"])
@pytest.mark.parametrize("fault", LOST)
def test_a_delete_whose_response_was_lost_is_a_change(cloud, fault, missing):
    configure(cloud, **NEWS)
    cloud.behave(delete_missing=missing)
    cloud.clear_calls()
    cloud.fault(fault, action=DELETE, times=1)
    result = configure(cloud, app_name="news", state="absent")
    assert (summary(result), actions(cloud)) == ((True, False), [READ, DELETE, READ, READ])
    assert result["before"]["oss_bucket"] == "recordings" and stored(cloud) is None


def test_a_delete_that_did_not_arrive_is_repeated_after_a_read(cloud):
    configure(cloud, **NEWS)
    cloud.clear_calls()
    cloud.fault("half_json", action=DELETE, times=1, processed=False)
    result = configure(cloud, app_name="news", state="absent", retry_timeout=30)
    assert (summary(result), actions(cloud)) == ((True, False), [READ, DELETE, READ, DELETE, READ])


@pytest.mark.parametrize("fault", LOST)
def test_an_update_whose_response_was_lost_is_repeated(cloud, fault):
    configure(cloud, **NEWS)
    cloud.clear_calls()
    cloud.fault(fault, action=UPDATE, times=1)
    result = configure(cloud, **NEWS, delay_time=60, retry_timeout=30)
    assert (summary(result), actions(cloud)) == ((True, False), [READ, UPDATE, UPDATE, READ])
    cloud.fault(fault, action=UPDATE)
    result = configure(cloud, **NEWS, delay_time=61)
    assert (summary(result), actions(cloud)) == ((True, False), [READ, UPDATE, READ, READ]), "the read shows it"
    assert stored(cloud)["delay"] == 61


@pytest.mark.parametrize("lost", [DELETE, ADD])
@pytest.mark.parametrize("fault", [*LOST, "never"])
def test_a_replacement_succeeds_despite_a_lost_response(cloud, lost, fault):
    configure(cloud, **NEWS, delay_time=60)
    cloud.clear_calls()
    kind = {"never": {"fault": "half_json", "processed": False}}.get(fault, {"fault": fault})
    cloud.fault(action=lost, times=1, **kind)
    result = configure(cloud, **{**NEWS, "oss_bucket": "archive"}, retry_timeout=30)
    assert summary(result) == (True, True)
    assert (stored(cloud)["bucket"], stored(cloud)["delay"]) == ("archive", 60)
    assert result["before"]["oss_bucket"] == "recordings"


DENIED = {"code": "Forbidden.RAM", "http_status": 403, "processed": False}


def test_a_refused_replacement_restores_the_old_configuration(cloud):
    before = configure(cloud, **NEWS, delay_time=60)["config"]
    number = stored(cloud)["number"]
    cloud.clear_calls()
    cloud.fault("error", action=ADD, parameters={"OssBucket": "archive"}, **DENIED)
    result = configure(cloud, **{**NEWS, "oss_bucket": "archive"})
    assert result["failed"] and result["changed"] and result["error"]["code"] == "Forbidden.RAM"
    assert "the old configuration, which had been removed for it, was put back" in result["msg"]
    assert "live:AddLiveAppRecordConfig" in result["msg"]
    assert actions(cloud) == [READ, DELETE, ADD, READ, ADD]
    assert stored(cloud)["number"] != number
    assert drop_random_values(configure(cloud, **NEWS, check_mode=True)["config"]) == drop_random_values(before)


def test_a_lost_configuration_is_reported_if_it_cannot_be_restored(cloud):
    configure(cloud, **NEWS, delay_time=61)
    cloud.clear_calls()
    cloud.fault("error", action=ADD, **DENIED)
    result = configure(cloud, **{**NEWS, "oss_bucket": "archive"})
    assert result["failed"] and result["changed"] and stored(cloud) is None
    assert actions(cloud) == [READ, DELETE, ADD, READ, ADD, READ]
    assert "is gone" in result["msg"]
    for part in ("'oss_bucket': 'recordings'", "'delay_time': 61", "'format': 'mp4'", "record/{AppName}/{StreamName}/"):
        assert part in result["msg"]


def test_a_possibly_lost_configuration_is_reported_if_it_cannot_be_read(cloud, rival):
    configure(cloud, **NEWS, delay_time=61)
    cloud.fault("half_json", action=DELETE)
    rival.before(2, READ, lambda: cloud.fault("error", action=READ, **DENIED))
    result = configure(cloud, rival=rival, **{**NEWS, "oss_bucket": "archive"})
    assert result["failed"] and result["changed"] and result["error"]["action"] == DELETE
    assert "If the configuration is gone, it was" in result["msg"] and "'delay_time': 61" in result["msg"]


def test_a_replacement_whose_delete_is_refused_changes_nothing(cloud):
    configure(cloud, **NEWS)
    cloud.fault("error", action=DELETE, **DENIED)
    result = configure(cloud, **{**NEWS, "oss_bucket": "archive"})
    assert result["failed"] and not result["changed"]
    assert stored(cloud)["bucket"] == "recordings"


@pytest.fixture
def rival():
    return Rival()


def test_the_same_configuration_added_by_another_client_is_no_change(cloud, rival):
    rival.before(1, ADD, lambda: configure(cloud, **NEWS))
    result = configure(cloud, rival=rival, **NEWS)
    assert summary(result) == (False, False), "it was not this task"
    assert result["before"] == result["config"]
    assert [call["code"] for call in cloud.calls(ADD)] == [None, "CodeConfigAlreadyExists"]


@pytest.mark.parametrize("code", ["CodeConfigAlreadyExists", "SomethingNobodyDocumented"])
def test_another_configuration_added_by_another_client_is_updated(cloud, rival, code):
    cloud.behave(config_exists_code=code)
    rival.before(1, ADD, lambda: configure(cloud, **NEWS, delay_time=60))
    result = configure(cloud, rival=rival, **NEWS, delay_time=61)
    assert summary(result) == (True, False)
    assert result["before"]["delay_time"] == 60 and stored(cloud)["delay"] == 61


@pytest.mark.parametrize("missing", ["ok", "error"])
def test_a_configuration_removed_by_another_client_is_no_change_if_the_delete_is_refused(cloud, rival, missing):
    cloud.behave(delete_missing=missing)
    configure(cloud, **NEWS)
    rival.before(1, DELETE, lambda: configure(cloud, app_name="news", state="absent"))
    result = configure(cloud, rival=rival, app_name="news", state="absent")
    assert not result.get("failed") and stored(cloud) is None
    assert result["changed"] is (missing == "ok"), "only a refusal tells that it was not this task"


def test_a_configuration_removed_before_an_update_is_created(cloud, rival):
    configure(cloud, **NEWS)
    rival.before(1, UPDATE, lambda: configure(cloud, app_name="news", state="absent"))
    result = configure(cloud, rival=rival, **NEWS, delay_time=60)
    assert summary(result) == (True, False)
    assert result["before"] is None and stored(cloud)["delay"] == 60


def test_a_removed_configuration_fails_if_the_options_cannot_create_it(cloud, rival):
    configure(cloud, **NEWS)
    rival.before(1, UPDATE, lambda: configure(cloud, app_name="news", state="absent"))
    result = configure(cloud, rival=rival, app_name="news", delay_time=60)
    assert result["failed"] and not result["changed"]
    assert "creating it needs oss_bucket, oss_endpoint, formats" in result["msg"]


def test_another_client_may_act_between_the_calls_of_a_replacement(cloud, rival):
    configure(cloud, **NEWS)
    other = {**NEWS, "oss_bucket": "somebody-elses"}
    rival.before(1, ADD, lambda: configure(cloud, **other))
    result = configure(cloud, rival=rival, **{**NEWS, "oss_bucket": "archive"})
    assert summary(result) == (True, True) and stored(cloud)["bucket"] == "archive"


def test_repeated_changes_by_another_client_are_a_failure(cloud, rival):
    for number in (1, 2, 3):
        rival.before(number, UPDATE, lambda: configure(cloud, app_name="news", state="absent"))
        rival.before(number, ADD, lambda: configure(cloud, **NEWS, delay_time=100))
    configure(cloud, **NEWS)
    cloud.clear_calls()
    result = configure(cloud, rival=rival, **NEWS, delay_time=60)
    assert result["failed"] and "something else changes it at the same time" in result["msg"]
    assert result["error"]["code"] == "CodeConfigNotFound" and not result["changed"]


def test_a_change_that_reads_back_differently_is_a_warning(cloud, rival):
    """This may happen if reads lag behind or the service truncates a value."""
    configure(cloud, **NEWS)
    rival.before(2, READ, lambda: configure(cloud, **NEWS, delay_time=62))
    result = configure(cloud, rival=rival, **NEWS, delay_time=61)
    assert result["changed"] and result["config"]["delay_time"] == 62
    assert any("delay_time" in warning and "does not show" in warning for warning in result["warnings"])


def test_a_change_that_cannot_be_read_back_is_reported_as_a_change(cloud, rival):
    rival.before(2, READ, lambda: cloud.fault("error", action=READ, **DENIED))
    result = configure(cloud, rival=rival, **NEWS)
    assert result["failed"] and result["changed"] and "the change before it took effect" in result["msg"]
    assert stored(cloud)


def test_all_pages_of_configurations_are_read(cloud):
    for number in range(35):
        configure(cloud, **{**NEWS, "app_name": f"app{number}"})
    cloud.clear_calls()
    assert not configure(cloud, **{**NEWS, "app_name": "app34"})["changed"]
    assert [call["params"]["PageNum"] for call in cloud.calls(READ)] == ["1", "2"]
    assert not any("AppName" in call["params"] for call in cloud.calls(READ))


def test_numbers_and_lists_are_sent_in_the_documented_form(cloud):
    formats = [{"format": "M3U8", "slice_duration": 10, **{k: v for k, v in M3U8.items() if k != "format"}}]
    configure(cloud, **{**NEWS, "formats": formats}, mode="automatic", transcode_templates=["sd", "hd"], delay_time=15)
    (call,) = cloud.calls(ADD)
    assert call["params"] == {
        "DomainName": DOMAIN,
        "AppName": "news",
        "StreamName": "*",
        "OssBucket": "recordings",
        "OssEndpoint": "oss-cn-shanghai.aliyuncs.com",
        "OnDemand": "0",
        "DelayTime": "15",
        "RecordFormat.1.Format": "m3u8",
        "RecordFormat.1.SliceDuration": "10",
        "RecordFormat.1.OssObjectPrefix": PREFIX,
        "RecordFormat.1.SliceOssObjectPrefix": SLICES,
        "TranscodeTemplates.1": "sd",
        "TranscodeTemplates.2": "hd",
    }


# --- in playbooks -----------------------------------------------------------------------------------------------------


def task(name, **options):
    keywords = {key: options.pop(key) for key in ("check_mode", "ignore_errors", "register", "vars") if key in options}
    return {"name": name, MODULE: {"domain_name": DOMAIN, **options}, **keywords}


RETURNED = "made.config | dict2items | rejectattr('key', 'eq', 'create_time') | items2dict"
PLAY = [
    task("check", **NEWS, check_mode=True),
    task("create", **NEWS),
    task("create again", **NEWS, register="made"),
    {
        "name": "what was returned",
        MODULE: "{{ made.config | dict2items | rejectattr('key', 'eq', 'create_time') | items2dict }}",
    },
    task("change", **NEWS, delay_time=300),
    task("replace", **{**NEWS, "oss_bucket": "archive"}),
    task("bad slice", **{**NEWS, "formats": [{"format": "cmaf", "slice_duration": 90}]}, ignore_errors=True),
    task("bad option", **{**NEWS, "formats": [{"format": "mp4", "colour": "red"}]}, ignore_errors=True),
    task("no bucket", app_name="sport", formats=[{"format": "mp4"}], ignore_errors=True),
    task("remove", app_name="news", state="absent"),
    task("remove again", app_name="news", state="absent"),
]
LADDER = {
    "check": True,
    "create": True,
    "create again": False,
    "what was returned": False,
    "change": True,
    "replace": True,
    "remove": True,
    "remove again": False,
}


@pytest.fixture(scope="module")
def ways(http_cloud, tmp_path_factory):
    """Return the run of each way, with the calls that the emulator received."""
    found = {}
    for way, keywords in WAYS.items():
        http_cloud.reset()
        ansible = Ansible(tmp_path_factory.mktemp("way"), environment(http_cloud))
        run = ansible.play(PLAY, "--diff", **keywords)
        found[way] = run, [call["action"] for call in http_cloud.calls()]
    return found


@pytest.mark.parametrize("way", WAYS)
def test_create_repeat_change_and_delete_in_a_playbook(ways, way):
    run, seen = ways[way]
    assert run.exit_code == 0, run.output
    assert {row["task"]: row["result"]["changed"] for row in run.rows if row["task"] in LADDER} == LADDER
    assert [action for action in seen if action != READ] == [ADD, UPDATE, DELETE, ADD, DELETE]
    assert run.result("replace")["replaced"] and not run.result("change")["replaced"]
    assert '-    "oss_bucket": "recordings"' in run.output and '+    "oss_bucket": "archive"' in run.output
    assert sum(row["result"].get("api_calls", 0) for row in run.rows) == len(seen)
    warned = {row["task"] for row in run.rows if "next push" in str(row["result"].get("warnings"))}
    assert warned == {"create", "change", "replace"}
    failures = {row["task"]: row["result"]["msg"] for row in run.rows if "msg" in row["result"]}
    assert "formats[0].slice_duration is 90" in failures["bad slice"]
    assert "colour" in failures["bad option"]
    assert "creating it needs oss_bucket, oss_endpoint" in failures["no bucket"]
    assert "Traceback" not in run.output


def test_module_and_action_plugin_return_the_same(ways):
    rows = [
        [(row["task"], row["status"], comparable(row["result"])) for row in run.rows] for run, _seen in ways.values()
    ]
    assert rows[0] == rows[1]
