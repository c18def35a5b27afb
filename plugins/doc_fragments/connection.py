# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options for reaching the cloud, which all modules and the inventory share."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of `_argspec.CONNECTION`."""

    DOCUMENTATION = r"""
options:
  access_key_id:
    description:
      - The id of the access key that signs the calls.
      - Keys are looked for in this order, and the first place that holds any is used. This option and
        O(access_key_secret); the profile that O(profile) or O(credentials_file) names; the role that O(ecs_role_name)
        names; E(ALIBABA_CLOUD_ACCESS_KEY_ID), E(ALIBABA_CLOUD_ACCESS_KEY_SECRET) and E(ALIBABA_CLOUD_SECURITY_TOKEN);
        the same three names with C(ALIBABACLOUD_) instead of C(ALIBABA_CLOUD_); E(ALICLOUD_ACCESS_KEY) or
        E(ALICLOUD_ACCESS_KEY_ID), E(ALICLOUD_SECRET_KEY), E(ALICLOUD_SECRET_ACCESS_KEY) or
        E(ALICLOUD_ACCESS_KEY_SECRET), and E(ALICLOUD_SECURITY_TOKEN); the OIDC token of
        E(ALIBABA_CLOUD_OIDC_TOKEN_FILE) with E(ALIBABA_CLOUD_OIDC_PROVIDER_ARN) and E(ALIBABA_CLOUD_ROLE_ARN), or of
        the same three names with C(ALIBABACLOUD_); the Alibaba Cloud CLI's file C(~/.aliyun/config.json); the SDKs'
        file C(~/.alibabacloud/credentials) or C(~/.alibabacloud/credentials.ini); the role of the ECS instance that the
        task runs on; the server that E(ALIBABA_CLOUD_CREDENTIALS_URI) names. With whichever keys these are, the role
        O(role_arn) is assumed, if it is set.
      - A place that holds only a part of what is needed, or something that cannot be used, is an error. It never leads
        to the keys of another place.
      - Temporary keys are obtained once in a run of C(ansible-playbook), whatever the number of hosts, and renewed five
        minutes before they end. They are kept in the run's own directory for temporary files, which it removes at its
        end, and encrypted so that only the run's processes can read them. A task that does not run in the process of
        C(ansible-playbook), such as one on another machine, obtains its own each time. Calls for keys count in
        RV(ignore:api_calls).
      - A process waits at most five minutes for another one of the run that is obtaining keys, then obtains its own.
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
      - The profile to take the keys from, in the Alibaba Cloud CLI's file or else the SDKs' file.
      - In the CLI's file, profiles of the modes C(AK), C(StsToken), C(RamRoleArn), C(EcsRamRole),
        C(RamRoleArnWithRoleName), C(OIDC), C(ChainableRamRoleArn), C(CredentialsURI), C(CloudSSO), C(OAuth) and, with
        O(allow_external_process), C(External) are supported. A profile without a mode has the one that the CLI
        recognises by its fields. In the SDKs' file, those of the types C(access_key), C(ram_role_arn),
        C(oidc_role_arn) and C(ecs_ram_role) are supported.
      - Of a profile of the mode C(OAuth), the keys that the CLI has stored are used, or else others that its access
        token is exchanged for. The file is never written, so the sign-in is not renewed when the access token expires.
        Any command of the CLI with that profile does it, and C(aliyun configure --mode OAuth) signs in again.
      - A profile of the mode C(CredentialsURI) without a URI uses E(ALIBABA_CLOUD_CREDENTIALS_URI).
      - Where neither this option nor other keys are given, E(ALIBABA_CLOUD_PROFILE), E(ALICLOUD_PROFILE), the CLI's
        C(current) profile, or C(default) is used. E(ALIBABA_CLOUD_CLI_PROFILE_DISABLED) leaves the CLI's file out then.
    type: str
  credentials_file:
    description:
      - A file of profiles in the form of the CLI or of the SDKs, instead of those in the home directory.
      - Without this option, E(ALICLOUD_SHARED_CREDENTIALS_FILE) replaces the CLI's file and
        E(ALIBABA_CLOUD_CREDENTIALS_FILE) the SDKs' file.
      - A file that others can read or change causes a warning.
    type: path
    aliases: [shared_credentials_file]
  ecs_role_name:
    description:
      - The RAM role of the ECS instance that the task runs on, whose keys the instance's metadata service gives. That
        has a second for a connection, and one for each part of an answer.
      - Without this option, where no other keys are found, E(ALIBABA_CLOUD_ECS_METADATA), E(ALICLOUD_ECS_ROLE_NAME), or
        the role that the instance has, if any.
      - E(ALIBABA_CLOUD_ECS_METADATA_DISABLED) prevents asking the metadata service, and
        E(ALIBABA_CLOUD_IMDSV1_DISABLED) asking it without a token. For tests, E(APSARAVIDEO_METADATA_ENDPOINT) puts one
        on a loopback address in its place.
    type: str
    aliases: [role_name]
  role_arn:
    description:
      - The RAM role to assume with the keys that were found, such as C(acs:ram::1234567890123456:role/recorder).
      - Default is E(ALICLOUD_ASSUME_ROLE_ARN).
      - E(ALIBABA_CLOUD_ROLE_ARN) is not this role but the one that is assumed with an OIDC token.
    type: str
    aliases: [alicloud_assume_role_arn, assume_role_arn]
  role_session_name:
    description:
      - The name under which audit logs show what is done in the role.
      - Default is E(ALIBABA_CLOUD_ROLE_SESSION_NAME), E(ALICLOUD_ASSUME_ROLE_SESSION_NAME), or C(ansible).
    type: str
    aliases: [alicloud_assume_role_session_name, assume_role_session_name]
  role_session_duration:
    description:
      - Seconds for which the keys of O(role_arn) are to be good, 900 or more and at most what the role allows.
      - Default is E(ALICLOUD_ASSUME_ROLE_SESSION_EXPIRATION), or what the service takes, which is an hour.
    type: int
    aliases: [alicloud_assume_role_session_expiration, assume_role_session_expiration]
  role_policy:
    description: A policy in the language of RAM. What it does not allow, the keys of O(role_arn) may not do.
    type: json
  external_id:
    description:
      - The external id that the trust policy of O(role_arn) asks for.
      - Default is E(ALIBABA_CLOUD_EXTERNAL_ID), which counts for the role of a profile without an external id as well.
    type: str
  sts_endpoint:
    description:
      - The URL of the Security Token Service, as scheme, host and port. Only on a loopback address may it be plain
        C(http).
      - Default is E(APSARAVIDEO_STS_ENDPOINT), the endpoint that a profile names, E(ALIBABA_CLOUD_STS_ENDPOINT) (which
        needs no scheme), that of the region that a profile names, that of the region E(ALIBABA_CLOUD_STS_REGION)
        (inside its network with E(ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED)), or C(https://sts.aliyuncs.com).
    type: str
  allow_external_process:
    description:
      - Whether a profile of the mode C(External) may run its program, for at most 60 seconds. Whoever can change the
        file of profiles, or choose another one by O(credentials_file), can then run any program as the user of the
        task.
      - V(true) counts from the task itself and from the extra variable C(apsaravideo_allow_external_process), which
        C(-e) gives. Other variables, such as those of the inventory, and inventory sources can only forbid it.
      - Default is E(APSARAVIDEO_ALLOW_EXTERNAL_PROCESS), or V(false). E(ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS) forbids
        it in any case, and the credentials URI as well.
    type: bool
  region_id:
    description:
      - The region that the domain belongs to, to be named in each call. It is rarely needed, and does not choose
        O(endpoint).
      - Default is E(ALIBABA_CLOUD_REGION_ID), E(ALIBABACLOUD_REGION_ID), E(ALICLOUD_REGION), or E(ALICLOUD_REGION_ID).
    type: str
    aliases: [alicloud_region, region]
  endpoint:
    description:
      - The URL of the API, as scheme, host and port.
      - Default is E(APSARAVIDEO_ENDPOINT), or C(https://live.aliyuncs.com), which the vendor's SDKs use for all
        regions.
      - The vendor's documentation names endpoints of their own for domains whose live centre is in Singapore,
        C(https://live.ap-southeast-1.aliyuncs.com), and in Frankfurt, C(https://live.eu-central-1.aliyuncs.com). Set
        one of them where the default answers V(InvalidRegion) or does not know the domain.
      - Inside a VPC without a way to the internet, it is C(https://live-vpc.REGION.aliyuncs.com), in the regions
        C(cn-shanghai), C(us-east-1), C(me-central-1) and C(ap-southeast-1).
    type: str
  allow_http:
    description:
      - Whether O(endpoint), or a server that E(ALIBABA_CLOUD_CREDENTIALS_URI) or a profile names, may be plain C(http)
        although it is not a loopback address.
    type: bool
    default: false
  validate_certs:
    description:
      - Whether the certificates of O(endpoint), O(sts_endpoint) and other servers must be trusted, and have the name of
        the server among their alternative names (SAN). The name in the subject (CN) does not count.
    type: bool
    default: true
  ca_path:
    description:
      - A file of CA certificates to trust instead of those that come with the Python library C(requests).
      - Default is E(REQUESTS_CA_BUNDLE).
    type: path
  connect_timeout:
    description:
      - Seconds to wait for a connection to each address of a server, and again for the TLS handshake; at most 3600.
      - The look-up of the server's name takes as long as the system's resolver waits.
    type: float
    default: 5
  read_timeout:
    description: Seconds to wait for each part of an answer, at most 3600. The whole of it may take six times as long.
    type: float
    default: 10
  rate_limit:
    description:
      - Calls per second to allow for each API operation and access key. All processes of the user on one machine share
        them, evenly spaced, first come, first served.
      - Default is 96 percent of the quota that the operation's documentation states, such as 48 for record commands.
        When something else uses the account's quota too, the rate adapts to what is left, down to a twentieth.
      - A call waits until all before it have had their turns, which takes 21 seconds after 1,000 record commands.
      - A process waits at most five seconds for another one that holds the file which they share, then paces its calls
        alone, with a warning.
    type: float
  retry_timeout:
    description:
      - Seconds that the failed attempts of one task, or of one stream of a fleet, and the waits between them may take
        together, where calls were throttled, failed inside the cloud, or lost their connection. The time that a call
        waits for its turn does not count. An attempt that has begun is not cut short, and takes at most the time that
        O(connect_timeout) and O(read_timeout) leave it.
      - The cloud may ask to wait before a call that it dropped is sent again (C(x-acs-retry-after)). That call waits as
        long, up to 30 seconds at a time and within this time. Calls for other streams do not.
      - A name of a server that cannot be resolved is an error at once, unless the same run of C(ansible-playbook)
        reached the server before.
      - A list that moves while it is read, or that holds fewer objects than it says, is read up to five times.
      - V(0) means never to try again, V(-1) to try for ever.
    type: float
    default: 60
requirements:
  - python >= 3.9
  - requests >= 2.25.1
  - jmespath >= 1.0.0
"""
