# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where access keys come from. Each source is an object with one method, `keys()`.

`keys()` returns None where the source holds nothing, so that the next one is asked, and raises CredentialsError where
it holds something that cannot be used: a mistake in one place never leads to the keys of another.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ._errors import CredentialsError
from ._keys import Keys


class Source(Protocol):
    """A place that may hold keys."""

    def keys(self) -> Keys | None:
        """The keys, or None where there are none. Raises CredentialsError where they are unusable."""


class Given:
    """Keys that are at hand: a mapping and the names under which id, secret and token stand in it."""

    def __init__(self, values: Mapping[str, Any], names: Sequence[Sequence[str]], source: str) -> None:
        self._values = values
        self._names = names
        self._source = source

    def keys(self) -> Keys | None:
        """Raises CredentialsError where some, but not both, of id and secret are set."""
        key_id, secret, token = (self._first(names) for names in self._names)
        if not key_id and not secret and not token:
            return None
        if not key_id or not secret:
            missing = self._names[1 if key_id else 0][0]
            raise CredentialsError(
                f"The access keys in {self._source} are incomplete",
                f"Set {missing} there too, or unset all of them to use another source.",
            )
        return Keys(key_id, secret, token, self._source)

    def _first(self, names: Sequence[str]) -> str | None:
        return next((str(self._values[name]) for name in names if self._values.get(name)), None)


class CliProfile:
    """A profile of the Alibaba Cloud CLI's `config.json`, in the modes `AK` and `StsToken`.

    `name` None means the file's `current` profile. Unless `required`, a missing file means that there are no keys here.
    """

    def __init__(self, path: str, name: str | None, required: bool) -> None:
        self._path = path
        self._name = name
        self._required = required

    def keys(self) -> Keys | None:
        """Raises CredentialsError naming file, profile and field that cannot be used."""
        if not self._required and not os.path.exists(self._path):
            return None
        config = self._config()
        name = self._name or config.get("current") or "default"
        found = [profile for profile in config["profiles"] if profile.get("name") == name]
        if not found:
            raise self._error(f"has no profile {name}", "Name one of its profiles in the option profile.")
        return self._profile_keys(str(name), found[0])

    def _config(self) -> dict[str, Any]:
        try:
            with open(self._path, encoding="utf-8") as file:
                config = json.load(file)
        except OSError as error:
            raise self._error(f"cannot be read: {error.strerror}", "Check its path and permissions.") from error
        except (ValueError, RecursionError) as error:
            raise self._error("is not JSON", "Write it anew with the command aliyun configure.") from error
        profiles = config.get("profiles") if isinstance(config, dict) else None
        if not isinstance(profiles, list) or not all(isinstance(profile, dict) for profile in profiles):
            raise self._error("holds no list of profiles", "Write it anew with the command aliyun configure.")
        return config

    def _profile_keys(self, name: str, profile: Mapping[str, Any]) -> Keys:
        mode = profile.get("mode") or "AK"
        fields = {
            "ak": ("access_key_id", "access_key_secret"),
            "ststoken": ("access_key_id", "access_key_secret", "sts_token"),
        }
        wanted = fields.get(str(mode).lower())
        if not wanted:
            raise self._error(
                f"has the mode {mode} in profile {name}, which is not supported",
                "Use a profile of mode AK or StsToken.",
            )
        for entry in wanted:
            if not isinstance(profile.get(entry), str) or not profile[entry]:
                raise self._error(f"has no {entry} in profile {name}", "Complete it with the command aliyun configure.")
        values = [profile[entry] for entry in wanted]
        token = values[2] if len(values) > len(fields["ak"]) else None
        return Keys(values[0], values[1], token, f"profile {name} of {self._path}")

    def _error(self, happened: str, advice: str) -> CredentialsError:
        return CredentialsError(f"The credentials file {self._path} {happened}", advice)


_OPTION_NAMES = (("access_key_id",), ("access_key_secret",), ("security_token",))
_SDK_NAMES = (
    ("ALIBABA_CLOUD_ACCESS_KEY_ID",),
    ("ALIBABA_CLOUD_ACCESS_KEY_SECRET",),
    ("ALIBABA_CLOUD_SECURITY_TOKEN",),
)
_ALICLOUD_NAMES = (
    ("ALICLOUD_ACCESS_KEY", "ALICLOUD_ACCESS_KEY_ID"),
    ("ALICLOUD_SECRET_KEY", "ALICLOUD_SECRET_ACCESS_KEY"),
    ("ALICLOUD_SECURITY_TOKEN",),
)
_CLI_FILE = "~/.aliyun/config.json"


def sources(options: Mapping[str, Any], environ: Mapping[str, str]) -> list[Source]:
    """The places to look in, in order: options, a profile named there, `ALIBABA_CLOUD_*`, `ALICLOUD_*`, the CLI's file.

    The variables are those of the vendor's SDKs and of the collection alibaba.alicloud.
    """
    given = Given(options, _OPTION_NAMES, "the task's options")
    named = options.get("profile") or options.get("credentials_file")
    path = options.get("credentials_file") or environ.get("ALICLOUD_SHARED_CREDENTIALS_FILE") or _CLI_FILE
    name = options.get("profile") or environ.get("ALIBABA_CLOUD_PROFILE") or environ.get("ALICLOUD_PROFILE")
    profile = CliProfile(_expanded(path, environ), name, required=bool(named or name))
    if named:
        return [given, profile]
    variables: list[Source] = [
        Given(environ, _SDK_NAMES, "the environment (ALIBABA_CLOUD_*)"),
        Given(environ, _ALICLOUD_NAMES, "the environment (ALICLOUD_*)"),
    ]
    disabled = environ.get("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "").lower() == "true"
    return [given, *variables] if disabled else [given, *variables, profile]


def find_keys(places: Sequence[Source]) -> Keys:
    """The keys of the first place that holds any. Raises CredentialsError where none does."""
    for place in places:
        keys = place.keys()
        if keys:
            return keys
    raise CredentialsError(
        "No access keys were found in the task's options, in ALIBABA_CLOUD_* or ALICLOUD_* variables, "
        f"or in {_CLI_FILE}",
        "Set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or the option profile.",
    )


def _expanded(path: str, environ: Mapping[str, str]) -> str:
    home = environ.get("HOME")
    if home and path.startswith("~/"):
        return os.path.join(home, path[2:])
    return os.path.expanduser(path)
