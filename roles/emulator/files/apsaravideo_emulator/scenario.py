# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The starting point: accounts, access keys, domains, configurations and streams, from a JSON file or built in.

The form of the file is described in the role's README.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from . import operations
from .cloud import Cloud
from .errors import ErrorTable, GatewayError
from .identity import ROOT, AccessKey, Principal, Role
from .oidc import Provider
from .operations.call import Call
from .parameters import read_parameters
from .resources import Domain, IngestNotifyConfig, UnknownDomain

_PREFIX = "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
_SLICE_PREFIX = "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}"

DEFAULT: dict[str, Any] = {
    "accounts": [
        {
            "id": "1000000000000001",
            "users": [{"name": "operator"}, {"name": "powerless", "allow": []}],
            "roles": [{"name": "recorder", "oidc_providers": ["ci"]}],
            "oidc_providers": [
                {
                    "name": "ci",
                    "issuer": "https://oidc.example.com",
                    "client_ids": ["apsaravideo"],
                    "tokens": ["testOidcToken"],
                }
            ],
            "access_keys": [
                {"id": "testAccessKeyId", "secret": "testAccessKeySecret", "user": "operator"},
                {"id": "rootAccessKeyId", "secret": "rootAccessKeySecret"},
                {"id": "powerlessAccessKeyId", "secret": "powerlessAccessKeySecret", "user": "powerless"},
                {"id": "inactiveAccessKeyId", "secret": "inactiveAccessKeySecret", "active": False},
            ],
            "domains": [{"name": "live.example.com", "ingest": ["push.example.com"]}],
            "record_configs": [
                {
                    "DomainName": "live.example.com",
                    "AppName": "*",
                    "StreamName": "*",
                    "OnDemand": 7,
                    "OssBucket": "recordings",
                    "OssEndpoint": "oss-cn-shanghai.aliyuncs.com",
                    "RecordFormat": [
                        {"Format": "m3u8", "OssObjectPrefix": _PREFIX, "SliceOssObjectPrefix": _SLICE_PREFIX},
                        {"Format": "mp4", "OssObjectPrefix": _PREFIX},
                    ],
                }
            ],
            "notify_configs": [
                {
                    "DomainName": "live.example.com",
                    "NotifyUrl": "http://callback.example.com/recording",
                    "NeedStatusNotify": True,
                }
            ],
        },
        {
            "id": "2000000000000002",
            "access_keys": [{"id": "otherAccessKeyId", "secret": "otherAccessKeySecret"}],
            "domains": [{"name": "live.example.org", "ingest": ["push.example.org"]}],
        },
    ],
    "streams": [],
}


class ScenarioError(ValueError):
    """A scenario that cannot be used; the message gives the reason."""


def load(path: str) -> dict[str, Any]:
    """Read a scenario from a file; raise ScenarioError if it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except (OSError, ValueError) as error:
        raise ScenarioError(f"cannot read the scenario {path}: {error}") from None
    if not isinstance(content, dict):
        raise ScenarioError(f"the scenario {path} is not a JSON object")
    return content


def apply(plan: dict[str, Any], cloud: Cloud) -> None:
    """Build the scenario in an empty cloud; raise ScenarioError if it is not of the documented form."""
    try:
        for account in plan.get("accounts", []):
            add_account(account, cloud)
        for stream in plan.get("streams", []):
            add_stream(stream, cloud)
        cloud.add_steps(read_steps(plan.get("timeline", [])))
        for fields in plan.get("files", []):
            cloud.mark_files(fields)
    except UnknownDomain as error:
        raise ScenarioError(f"a stream is on the unknown domain {error}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise ScenarioError(f"the scenario is not of the documented form: {error!r}") from None
    except ValueError as error:
        raise ScenarioError(str(error)) from None


def add_stream(fields: dict[str, Any], cloud: Cloud) -> None:
    """Bring a stream online, one pulled on trigger only if it has viewers; raise ValueError for unknown values."""
    names = str(fields["domain_name"]), str(fields["app_name"]), str(fields["stream_name"])
    mode, need_record = fields.get("mode", "push"), bool(fields.get("need_record", False))
    if mode == "pull":
        cloud.set_viewers(*names, read_viewers(fields, default=1), need_record)
    elif mode == "push":
        cloud.begin_push(*names, need_record=need_record, query=str(fields.get("query", "")))
    else:
        raise ValueError(f"mode is push or pull, not {mode!r}")


def read_steps(streams: list[dict[str, Any]]) -> list[tuple[tuple[str, str, str], Mapping[str, Any]]]:
    """Return the steps of streams, each with the names of its stream."""
    return [
        ((str(stream["domain_name"]), str(stream["app_name"]), str(stream["stream_name"])), step)
        for stream in streams
        for step in stream["steps"]
    ]


def read_viewers(fields: dict[str, Any], default: int | None = None) -> int:
    """Return the number of viewers of a stream; raise ValueError if it is not a whole number of at least 0."""
    viewers = fields["viewers"] if default is None else fields.get("viewers", default)
    if isinstance(viewers, bool) or not isinstance(viewers, int) or viewers < 0:
        raise ValueError(f"viewers is a whole number, 0 or more, not {viewers!r}")
    return viewers


def add_account(account: dict[str, Any], cloud: Cloud) -> None:
    """Add users, roles, identity providers, access keys, domains and configurations to a new or existing account."""
    number = str(account["id"])
    users = {user["name"]: _principal(number, user) for user in account.get("users", [])}
    users.setdefault(ROOT, Principal(number, ROOT))
    for role in account.get("roles", []):
        limit, external_id = role.get("max_session_seconds", 3600), role.get("external_id")
        providers = tuple(role.get("oidc_providers", []))
        cloud.identities.add_role(Role(_principal(number, role), limit, external_id, providers))
    for provider in account.get("oidc_providers", []):
        cloud.identities.add_provider(_provider(number, provider))
    for key in account.get("access_keys", []):
        name = key.get("user", ROOT)
        if name not in users:
            raise ScenarioError(f"the access key {key['id']} belongs to the unknown user {name}")
        cloud.identities.add_key(AccessKey(key["id"], key["secret"], users[name], key.get("active", True)))
    for domain in account.get("domains", []):
        _add_domain(_domain(number, domain), domain.get("status_url", ""), cloud)
    for name, operation in _OPERATIONS.items():
        for config in account.get(name, []):
            _add_config(number, operation, config, cloud)


_OPERATIONS = {
    "record_configs": "AddLiveAppRecordConfig",
    "notify_configs": "AddLiveRecordNotifyConfig",
    "ingest_notify_configs": "SetLiveStreamsNotifyUrlConfig",
}


def _add_domain(domain: Domain, status_url: str, cloud: Cloud) -> None:
    """Add a domain; `status_url` sets the same callback configuration for each of its ingest domains."""
    cloud.add_domain(domain)
    if status_url:
        cloud.ingest_configs.update(dict.fromkeys(domain.push_domains, IngestNotifyConfig(status_url)))


def _principal(account: str, fields: dict[str, Any]) -> Principal:
    return Principal(account, fields["name"], tuple(fields.get("allow", ["*"])), tuple(fields.get("deny", [])))


def _provider(account: str, fields: dict[str, Any]) -> Provider:
    return Provider(
        account=account,
        name=fields["name"],
        issuer=fields["issuer"],
        client_ids=tuple(fields.get("client_ids", [])),
        tokens=tuple(fields.get("tokens", [])),
    )


def _domain(account: str, fields: dict[str, Any]) -> Domain:
    return Domain(
        name=fields["name"],
        account=account,
        ingest=tuple(fields.get("ingest", [])),
        region=fields.get("region", "cn-shanghai"),
        status=fields.get("status", "online"),
        resource_group=fields.get("resource_group", "rg-default"),
        description=fields.get("description", ""),
        tags=tuple(fields.get("tags", {}).items()),
    )


def _add_config(account: str, name: str, fields: dict[str, Any], cloud: Cloud) -> None:
    """Execute an Add operation, so that a scenario's configurations are checked like any other."""
    operation = operations.OPERATIONS[name]
    errors = ErrorTable("new")
    key = AccessKey("", "", Principal(account, ROOT))
    try:
        values = read_parameters(operation.parameters, dict(flatten(fields)), errors)
        operation.execute(Call(cloud, key, values, errors, "", cloud.settle()))
    except GatewayError as error:
        raise ScenarioError(f"a configuration of account {account} is refused: {error}") from None


def flatten(fields: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield nested values as request parameters, named `Name.1.Field`."""
    for name, value in fields.items():
        full = f"{prefix}{name}"
        if isinstance(value, list):
            for number, item in enumerate(value, 1):
                numbered = f"{full}.{number}"
                if isinstance(item, dict):
                    yield from flatten(item, f"{numbered}.")
                else:
                    yield numbered, str(item)
        elif value is not None:
            yield full, str(value)
