# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that all modules share for reaching the cloud."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of `_argspec.CONNECTION`."""

    DOCUMENTATION = r"""
options:
  access_key_id:
    description:
      - The id of the access key that signs the calls.
      - Keys are looked for in this order, and the first place that holds any is used. This option and
        O(access_key_secret); the profile that O(profile) or O(credentials_file) names;
        E(ALIBABA_CLOUD_ACCESS_KEY_ID), E(ALIBABA_CLOUD_ACCESS_KEY_SECRET) and E(ALIBABA_CLOUD_SECURITY_TOKEN);
        E(ALICLOUD_ACCESS_KEY), E(ALICLOUD_SECRET_KEY) and E(ALICLOUD_SECURITY_TOKEN); the Alibaba Cloud CLI's
        file C(~/.aliyun/config.json).
      - A place that holds only a part of what is needed is an error. It never leads to the keys of another place.
    type: str
    aliases: [alicloud_access_key, access_key]
  access_key_secret:
    description: The secret of the access key.
    type: str
    aliases: [alicloud_secret_key, secret_access_key, secret_key]
  security_token:
    description: The security token that belongs to temporary keys of STS.
    type: str
    aliases: [alicloud_security_token]
  profile:
    description:
      - The profile of the Alibaba Cloud CLI's file to take the keys from. Profiles of the modes C(AK) and C(StsToken)
        are supported.
      - Where neither this option nor other keys are given, E(ALIBABA_CLOUD_PROFILE), E(ALICLOUD_PROFILE), or the
        file's C(current) profile is used.
    type: str
  credentials_file:
    description:
      - The Alibaba Cloud CLI's file of profiles.
      - Default is E(ALICLOUD_SHARED_CREDENTIALS_FILE), or C(~/.aliyun/config.json).
    type: path
    aliases: [shared_credentials_file]
  region_id:
    description:
      - The region to name in each call. One endpoint serves all regions, so it is rarely needed.
      - Default is E(ALIBABA_CLOUD_REGION_ID), E(ALICLOUD_REGION), or E(ALICLOUD_REGION_ID).
    type: str
    aliases: [alicloud_region, region]
  endpoint:
    description:
      - The URL of the API, as scheme, host and port.
      - Default is E(APSARAVIDEO_ENDPOINT), or C(https://live.aliyuncs.com).
    type: str
  allow_http:
    description: Whether O(endpoint) may be plain C(http) although it is not a loopback address.
    type: bool
    default: false
  validate_certs:
    description: Whether the certificate of O(endpoint) must be trusted.
    type: bool
    default: true
  ca_path:
    description:
      - A file of CA certificates to trust instead of those that come with the Python library C(requests).
      - Default is E(REQUESTS_CA_BUNDLE).
    type: path
  connect_timeout:
    description: Seconds to wait for a connection.
    type: float
    default: 5
  read_timeout:
    description: Seconds to wait for each part of an answer.
    type: float
    default: 10
  rate_limit:
    description:
      - Calls per second to allow for each API operation and access key. All processes of the user on one machine share
        them, evenly spaced, first come, first served.
      - Default is 96 percent of the quota that the operation's documentation states, such as 48 for record commands.
        When something else uses the account's quota too, the rate adapts to what is left.
    type: float
  retry_timeout:
    description:
      - Seconds that one task may spend waiting between tries of calls that were throttled, failed inside the cloud,
        or lost their connection.
      - V(0) means never to try again, V(-1) to try for ever.
    type: float
    default: 60
notes:
  - Each option can also be given as a variable with C(apsaravideo_) in front, such as C(apsaravideo_profile) for a
    group of the inventory. An option of the task or its C(module_defaults) comes first.
requirements:
  - requests
  - jmespath
"""
