# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains of an account, and their ingest domains."""

from __future__ import annotations

from typing import Any

from ..parameters import Integer, Items, Text
from ..resources import Domain
from .call import DOMAIN, Call, operation, paginate


def _describe_user_domains(call: Call) -> dict[str, Any]:
    rows = [row for domain in call.cloud.domains.values() for row in _domain_rows(call, domain)]
    wanted = [row for row in rows if _domain_matches(call, row)]
    page, counts = paginate(call, wanted, call["PageNumber"], call["PageSize"], "PageNumber")
    return {
        "PageNumber": counts["PageNumber"],
        "PageSize": counts["PageSize"],
        "TotalCount": counts["TotalNum"],
        "Domains": {"PageData": page},
    }


def _domain_rows(call: Call, domain: Domain) -> list[dict[str, Any]]:
    tags = dict(domain.tags)
    if domain.account != call.account or any(tags.get(tag["Key"]) != tag["Value"] for tag in call["Tag"]):
        return []
    kinds = [(domain.name, "liveVideo"), *((name, "liveEdge") for name in domain.ingest)]
    return [
        {
            "DomainName": name,
            "LiveDomainType": kind,
            "LiveDomainStatus": domain.status,
            "RegionName": domain.region,
            "Cname": f"{name}.w.alikunlun.com",
            "Description": domain.description,
            "GmtCreated": "2026-01-01T00:00:00Z",
            "GmtModified": "2026-01-01T00:00:00Z",
            "ResourceGroupId": domain.resource_group,
        }
        for name, kind in kinds
    ]


def _domain_matches(call: Call, row: dict[str, Any]) -> bool:
    pairs = (
        ("DomainStatus", "LiveDomainStatus"),
        ("LiveDomainType", "LiveDomainType"),
        ("RegionName", "RegionName"),
        ("ResourceGroupId", "ResourceGroupId"),
    )
    if any(call[parameter] not in (None, row[field]) for parameter, field in pairs):
        return False
    return call["DomainName"] is None or _keyword_matches(
        call["DomainSearchType"], call["DomainName"], row["DomainName"]
    )


def _keyword_matches(kind: str, keyword: str, name: str) -> bool:
    if kind == "full_match":
        return name == keyword
    if kind == "pre_match":
        return name.startswith(keyword)
    if kind == "suf_match":
        return name.endswith(keyword)
    return keyword in name


def _describe_domain_mapping(call: Call) -> dict[str, Any]:
    domain = call.resolve_domain()
    models = [{"DomainName": domain.name, "Type": "vhost"}]
    models += [{"DomainName": name, "Type": "publish"} for name in domain.ingest]
    return {"LiveDomainModels": {"LiveDomainModel": models}}


OPERATIONS = (
    operation(
        "DescribeLiveUserDomains",
        _describe_user_domains,
        100,
        Text("DomainName"),
        Text(
            "DomainSearchType", default="fuzzy_match", choices=("fuzzy_match", "pre_match", "suf_match", "full_match")
        ),
        Text("DomainStatus", choices=("online", "offline", "configuring")),
        Text("LiveDomainType", choices=("liveVideo", "liveEdge")),
        Text("RegionName"),
        Text("ResourceGroupId"),
        Items("Tag", (Text("Key", required=True), Text("Value"))),
        Integer("PageNumber", default=1, maximum=100_000),
        Integer("PageSize", default=20, maximum=50),
    ),
    operation("DescribeLiveDomainMapping", _describe_domain_mapping, 500, DOMAIN, seconds=60),
)
