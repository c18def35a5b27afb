# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The official clients behind one small interface.

Parameters and responses have the names of the API. The responses of the current SDK pass through its own models, so a
field that its model does not know would be lost.
"""

from __future__ import annotations

import importlib
import json
import re
from typing import Any
from urllib.parse import urlsplit

from alibabacloud_live20161101 import models
from alibabacloud_live20161101.client import Client
from alibabacloud_tea_openapi import models as open_api
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import AccessKeyCredential, StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.http import protocol_type

from support.emulator import KEY, Emulator


class SdkError(Exception):
    """An error reported by an SDK: its code, HTTP status, message and request id."""

    def __init__(self, code: str, http_status: int, message: str, request_id: str) -> None:
        super().__init__(f"{code} ({http_status}): {message}")
        self.code = code
        self.http_status = http_status
        self.message = message
        self.request_id = request_id


class OfficialClient:
    """One official client; `label` names it in test reports, `scheme` is the signature that it uses."""

    label = ""
    scheme = ""

    def __init__(self, cloud: Emulator, key: tuple[str, str] = KEY, token: str | None = None) -> None:
        self.cloud = cloud
        self.key = key
        self.token = token
        self.address = urlsplit(cloud.endpoint)

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation and return the response without RequestId; raise SdkError if the SDK reports an error."""
        raise NotImplementedError

    def with_key(self, key: tuple[str, str], token: str | None = None) -> OfficialClient:
        """Return an equal client with another access key."""
        return type(self)(self.cloud, key, token)


class CurrentSdk(OfficialClient):
    """alibabacloud_live20161101 with its default settings."""

    label = "current"
    scheme = "acs3"
    algorithm: str | None = None

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        config = open_api.Config(
            access_key_id=self.key[0],
            access_key_secret=self.key[1],
            security_token=self.token,
            endpoint=self.address.netloc,
            protocol=self.address.scheme,
            signature_algorithm=self.algorithm,
            ca=self.cloud.ca_path,
        )
        request = getattr(models, f"{operation}Request")().from_map(parameters)
        known = {name: value for name, value in request.to_map().items() if value != []}
        assert known == parameters, "the SDK does not know all of these parameters"
        method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
        try:
            response = getattr(Client(config), method)(request).body.to_map()
        except AlibabaCloudException as error:
            raise SdkError(error.code, error.status_code, error.message, error.request_id) from error
        assert re.fullmatch(r"[0-9A-F-]{36}", response.pop("RequestId"))
        return dict(response)


class CurrentSdkWithOldSignature(CurrentSdk):
    """alibabacloud_live20161101 configured to sign with HMAC-SHA1, which its option calls v2."""

    label = "current-hmac-sha1"
    scheme = "hmac-sha1"
    algorithm = "v2"


class LegacySdk(OfficialClient):
    """aliyun-python-sdk-core with aliyun-python-sdk-live."""

    label = "legacy"
    scheme = "hmac-sha1"

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        of_sts = operation in ("AssumeRole", "GetCallerIdentity")
        package = "aliyunsdksts.request.v20150401" if of_sts else "aliyunsdklive.request.v20161101"
        request = getattr(importlib.import_module(f"{package}.{operation}Request"), f"{operation}Request")()
        for name, value in parameters.items():
            plural = "s" if isinstance(value, list) else ""
            setter = getattr(request, f"set_{name}{plural}", None)
            # Some request classes lack newer parameters, which may be added this way as documented.
            if setter is None:
                request.add_query_param(name, value)
            else:
                setter(value)
        request.set_accept_format("JSON")
        request.set_endpoint(self.address.hostname)
        # The SDK compares by identity, so any other string "https" would mean HTTP.
        request.set_protocol_type(protocol_type.HTTPS if self.address.scheme == "https" else protocol_type.HTTP)
        if self.token is None:
            credential: Any = AccessKeyCredential(*self.key)
        else:
            credential = StsTokenCredential(*self.key, self.token)
        verify = self.cloud.ca_path or True
        client = AcsClient(region_id="cn-shanghai", port=self.address.port, credential=credential, verify=verify)
        try:
            response = json.loads(client.do_action_with_exception(request))
        except ServerException as error:
            raise SdkError(error.error_code, error.http_status, error.message, error.request_id) from error
        assert re.fullmatch(r"[0-9A-F-]{36}", response.pop("RequestId"))
        return dict(response)


CLIENTS = (CurrentSdk, CurrentSdkWithOldSignature, LegacySdk)
