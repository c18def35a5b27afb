# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options for reaching the cloud, which all modules and the inventory share."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of `argspec.CONNECTION`."""

    DOCUMENTATION = r"""
options:
  access_key_id:
    description:
      - The ID of the access key that signs the requests.
      - If neither this option nor O(access_key_secret), O(profile), O(credentials_file) or O(ecs_role_name) is set,
        the ID is taken from E(ALIBABA_CLOUD_ACCESS_KEY_ID), E(ALIBABACLOUD_ACCESS_KEY_ID), E(ALICLOUD_ACCESS_KEY) or
        E(ALICLOUD_ACCESS_KEY_ID).
      - Credentials are looked for in the following order, and the first provider that has any is used. First the
        options, namely O(access_key_id) and O(access_key_secret), or the profile that O(profile) or
        O(credentials_file) names, or the role that O(ecs_role_name) names. Then the environment variables whose names
        begin with C(ALIBABA_CLOUD_), with C(ALIBABACLOUD_) and with C(ALICLOUD_). Then an OIDC token, which is the file
        E(ALIBABA_CLOUD_OIDC_TOKEN_FILE) with E(ALIBABA_CLOUD_OIDC_PROVIDER_ARN) and E(ALIBABA_CLOUD_ROLE_ARN), or
        E(ALIBABACLOUD_OIDC_TOKEN_FILE) with E(ALIBABACLOUD_OIDC_PROVIDER_ARN) and E(ALIBABACLOUD_ROLE_ARN). Then the
        Alibaba Cloud CLI's file C(~/.aliyun/config.json), the SDKs' file C(~/.alibabacloud/credentials) or
        C(~/.alibabacloud/credentials.ini), the role of the ECS instance that the task runs on, and the server that
        E(ALIBABA_CLOUD_CREDENTIALS_URI) names. If O(role_arn) is set, these credentials are used to assume that role.
      - A provider whose credentials are incomplete or unusable is an error. The next provider is not tried.
      - Temporary credentials are obtained once in a run of C(ansible-playbook), whatever the number of hosts, and are
        renewed five minutes before they expire. They are stored encrypted in the run's own temporary directory, so that
        only processes of the run can read them, and are removed at its end. A task that does not run in the process of
        C(ansible-playbook), such as one on another machine, obtains its own. Requests for credentials are counted in
        RV(ignore:api_calls).
      - A process waits at most five minutes for another process of the run that is obtaining credentials. Then it
        obtains its own.
    type: str
    aliases: [alicloud_access_key, access_key]
  access_key_secret:
    description:
      - The secret of the access key.
      - If O(access_key_id) is taken from the environment, so is the secret, from E(ALIBABA_CLOUD_ACCESS_KEY_SECRET),
        E(ALIBABACLOUD_ACCESS_KEY_SECRET), E(ALICLOUD_SECRET_KEY), E(ALICLOUD_SECRET_ACCESS_KEY) or
        E(ALICLOUD_ACCESS_KEY_SECRET).
    type: str
    aliases: [alicloud_secret_key, secret_access_key, secret_key]
  security_token:
    description:
      - The security token that belongs to temporary credentials of STS.
      - If O(access_key_id) is taken from the environment, so is the token, from E(ALIBABA_CLOUD_SECURITY_TOKEN),
        E(ALIBABACLOUD_SECURITY_TOKEN) or E(ALICLOUD_SECURITY_TOKEN).
    type: str
    aliases: [alicloud_security_token]
  profile:
    description:
      - The profile to take credentials from, in the Alibaba Cloud CLI's file or else the SDKs' file.
      - In the CLI's file, the supported modes are C(AK), C(StsToken), C(RamRoleArn), C(EcsRamRole),
        C(RamRoleArnWithRoleName), C(OIDC), C(ChainableRamRoleArn), C(CredentialsURI), C(CloudSSO), C(OAuth) and, with
        O(allow_external_process), C(External). The mode of a profile without one is recognized by its fields, as the
        CLI does. In the SDKs' file, the supported types are C(access_key), C(ram_role_arn), C(oidc_role_arn) and
        C(ecs_ram_role).
      - For a profile of the mode C(OAuth), the credentials that the CLI has stored are used, or else others that its
        access token is exchanged for. The file is never written, so the sign-in is not renewed when the access token
        expires. Any command of the CLI with that profile renews it, and C(aliyun configure --mode OAuth) signs in
        again.
      - A profile of the mode C(CredentialsURI) without a URI uses E(ALIBABA_CLOUD_CREDENTIALS_URI).
      - If this option is not set and no other credentials are found, the profile is E(ALIBABA_CLOUD_PROFILE),
        E(ALICLOUD_PROFILE), the CLI's C(current) profile, or C(default). If E(ALIBABA_CLOUD_CLI_PROFILE_DISABLED) is
        C(true), the CLI's file is ignored then.
    type: str
  credentials_file:
    description:
      - A file of profiles in the format of the CLI or of the SDKs, which replaces those in the home directory.
      - Without this option, E(ALICLOUD_SHARED_CREDENTIALS_FILE) replaces the CLI's file and
        E(ALIBABA_CLOUD_CREDENTIALS_FILE) the SDKs' file.
      - A file that others can read or change causes a warning.
    type: path
    aliases: [shared_credentials_file]
  ecs_role_name:
    description:
      - The RAM role of the ECS instance that the task runs on. Its credentials come from the instance's metadata
        service, which has one second to accept a connection, and one for each part of a response.
      - Without this option, and if no other credentials are found, the role is E(ALIBABA_CLOUD_ECS_METADATA),
        E(ALICLOUD_ECS_ROLE_NAME), or the one that the instance has, if any.
      - If E(ALIBABA_CLOUD_ECS_METADATA_DISABLED) is C(true), the metadata service is not used. If
        E(ALIBABA_CLOUD_IMDSV1_DISABLED) is C(true), it is not used without a token. For tests,
        E(APSARAVIDEO_METADATA_ENDPOINT) replaces it by one on a loopback address.
    type: str
    aliases: [role_name]
  role_arn:
    description:
      - The RAM role to assume with the credentials that were found, such as
        C(acs:ram::1234567890123456:role/recorder).
      - Default is E(ALICLOUD_ASSUME_ROLE_ARN).
      - E(ALIBABA_CLOUD_ROLE_ARN) is not a default of this option. It is the role that is assumed with an OIDC token.
    type: str
    aliases: [alicloud_assume_role_arn, assume_role_arn]
  role_session_name:
    description:
      - The session name under which audit logs show the use of the role.
      - Default is E(ALIBABA_CLOUD_ROLE_SESSION_NAME), E(ALICLOUD_ASSUME_ROLE_SESSION_NAME), or C(ansible).
    type: str
    aliases: [alicloud_assume_role_session_name, assume_role_session_name]
  role_session_duration:
    description:
      - The seconds for which the credentials of O(role_arn) are valid, at least 900 and at most what the role allows.
      - Default is E(ALICLOUD_ASSUME_ROLE_SESSION_EXPIRATION), or the default of the service, which is an hour.
    type: int
    aliases: [alicloud_assume_role_session_expiration, assume_role_session_expiration]
  role_policy:
    description: A RAM policy that further restricts the credentials of O(role_arn).
    type: json
  external_id:
    description:
      - The external ID that the trust policy of O(role_arn) requires.
      - Default is E(ALIBABA_CLOUD_EXTERNAL_ID), which is also used for the role of a profile without an external ID.
    type: str
  sts_endpoint:
    description:
      - The URL of the Security Token Service, as scheme, host and port. Plain C(http) is allowed only for a loopback
        address.
      - Default is E(APSARAVIDEO_STS_ENDPOINT), the endpoint that a profile names, E(ALIBABA_CLOUD_STS_ENDPOINT) (which
        needs no scheme), the endpoint of the region that a profile names, the endpoint of the region
        E(ALIBABA_CLOUD_STS_REGION) (inside its network if E(ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED) is C(true)), or
        C(https://sts.aliyuncs.com).
    type: str
  allow_external_process:
    description:
      - Whether a profile of the mode C(External) may run its program, for at most 60 seconds. Whoever can change the
        file of profiles, or choose another one by O(credentials_file), can then run any program as the user of the
        task.
      - V(true) takes effect only in the task itself and in the extra variable C(apsaravideo_allow_external_process),
        which C(-e) sets. Other variables, such as those of the inventory, and inventory sources can only forbid it.
      - Default is E(APSARAVIDEO_ALLOW_EXTERNAL_PROCESS), or V(false). E(ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS) forbids
        it in any case, and forbids credentials URIs as well.
    type: bool
  region_id:
    description:
      - The region that the domain belongs to, which is sent with each request. It is rarely needed, and does not
        determine O(endpoint).
      - Default is E(ALIBABA_CLOUD_REGION_ID), E(ALIBABACLOUD_REGION_ID), E(ALICLOUD_REGION), or E(ALICLOUD_REGION_ID).
    type: str
    aliases: [alicloud_region, region]
  endpoint:
    description:
      - The URL of the API, as scheme, host and port.
      - Default is E(APSARAVIDEO_ENDPOINT), or C(https://live.aliyuncs.com), which the vendor's SDKs use for all
        regions.
      - The vendor's documentation has other endpoints for domains whose live center is in Singapore,
        C(https://live.ap-southeast-1.aliyuncs.com), and in Frankfurt, C(https://live.eu-central-1.aliyuncs.com). Set
        one of these if the default endpoint responds with V(InvalidRegion) or does not know the domain.
      - Inside a VPC without internet access, it is C(https://live-vpc.REGION.aliyuncs.com), in the regions
        C(cn-shanghai), C(us-east-1), C(me-central-1) and C(ap-southeast-1).
      - Requests are sent through the proxy of E(HTTPS_PROXY), E(HTTP_PROXY) or E(ALL_PROXY), except to the hosts of
        E(NO_PROXY).
    type: str
  allow_http:
    description:
      - Whether O(endpoint), or a server that E(ALIBABA_CLOUD_CREDENTIALS_URI) or a profile names, may use plain
        C(http) without being a loopback address.
    type: bool
    default: false
  validate_certs:
    description:
      - Whether the certificates of O(endpoint), O(sts_endpoint) and other servers must be trusted, and contain the name
        of the server among their subject alternative names (SAN). The common name (CN) of the subject is ignored.
    type: bool
    default: true
  ca_path:
    description:
      - A file of CA certificates to trust, which replaces those that come with the Python library C(requests).
      - Default is E(REQUESTS_CA_BUNDLE), or E(CURL_CA_BUNDLE).
    type: path
  connect_timeout:
    description:
      - The seconds to wait for a connection to each address of a server, and again for the TLS handshake; at most 3600.
      - Resolving the server's name takes as long as the system's resolver waits.
    type: float
    default: 5
  read_timeout:
    description:
      - The seconds to wait for each part of a response, at most 3600. The whole response may take six times as long.
    type: float
    default: 10
  rate_limit:
    description:
      - The maximum number of calls per second for each API operation and account. It is shared by all processes of the
        user on one machine, and with O(rate_limit_store) by several machines. Calls are evenly spaced, first come,
        first served.
      - Default is 96 percent of the quota that the operation's documentation states, such as 48 for record commands.
        If something else uses the account's quota too, the rate adapts to what is left, down to a twentieth.
      - A call waits for those before it, which takes 21 seconds after 1,000 record commands.
      - The processes share files below E(XDG_RUNTIME_DIR), or else below the system's temporary directory. A process
        waits at most five seconds for another one that has locked such a file. Then it limits only its own calls, with
        a warning.
    type: float
  rate_limit_share:
    description:
      - The part of the rate limit that this machine may use on its own, from V(0.001) to V(1). Without
        O(rate_limit_store), set it to V(0.5) on each of two machines that use one account, or to V(0.25) in each of
        four job slices.
      - With O(rate_limit_store), it is used only while the server cannot be.
    type: float
    default: 1
  rate_limit_store:
    description:
      - The URL of a Redis or Valkey server, version 5 or newer, on which several machines share the rate limit of an
        account, as C(redis://HOST:PORT/DATABASE), C(rediss://HOST:PORT/DATABASE) with TLS, or C(unix:///PATH). All
        machines must name the same server.
      - It needs the Python library C(redis) 4.5 or newer on the machine that runs the task. Certificates are checked as
        O(validate_certs) and O(ca_path) say; without the latter, the system's CA certificates are trusted.
      - A server that does not respond within a second is left alone for 10 seconds, with one warning for the run.
        Meanwhile each machine uses O(rate_limit_share) of the rate limit.
      - The user and the password may be part of the URL. E(APSARAVIDEO_RATE_LIMIT_STORE_PASSWORD) is the password for a
        URL without one.
      - Default is E(APSARAVIDEO_RATE_LIMIT_STORE).
    type: str
  rate_limit_store_required:
    description:
      - Whether to fail before the first call if the server of O(rate_limit_store) cannot be used then. Later in a run,
        its failure is a warning all the same.
    type: bool
    default: false
  rate_limit_account:
    description:
      - The ID of the account whose rate limit the calls share.
      - By default, it is the account in O(role_arn) or in the profile. Otherwise the Security Token Service is asked
        once for each access key, if O(rate_limit_store) is set, or if other access keys were used on this machine in
        the last day. The answer is remembered for the user. If there is none, the calls with each access key have a
        rate limit of their own.
    type: str
  retry_timeout:
    description:
      - The total seconds for retries of one task, or of one stream of a fleet, after calls were throttled, failed in
        the cloud, or lost their connection. They include the failed attempts and the pauses between them, but not the
        time that a call waits for its turn. An attempt that has begun is not interrupted, and takes at most the time
        that O(connect_timeout) and O(read_timeout) allow.
      - The cloud may ask for a pause before the retry of a throttled call (C(x-acs-retry-after)). It is observed, up to
        30 seconds at a time and within this timeout. Calls for other streams are not delayed.
      - A server name that cannot be resolved is an error at once, unless the same run of C(ansible-playbook) has
        reached the server before.
      - A list that changes while it is read, or that holds fewer objects than it says, is read up to five times.
      - V(0) means no retries, V(-1) no timeout.
    type: float
    default: 60
requirements:
  - python >= 3.9
  - requests >= 2.25.1
  - jmespath >= 1.0.0
"""
