# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of the event sources, validated."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from ...module_utils._api.models import check_domain
from ...module_utils._errors import InvalidOption

_HOST = re.compile(r"[0-9A-Za-z.:_\[\]-]{1,253}")
_AUTH_KEY = re.compile(r"[0-9A-Za-z]{16,64}")
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")

Reader = Callable[[str, Any], Any]


def read_text(name: str, value: Any) -> str:
    """Return a text."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise InvalidOption(f"The argument {name} is not a text", "Give one, in quotes if YAML reads it otherwise.")
    return value


def read_bool(name: str, value: Any) -> bool:
    """Return a boolean, which may be written as text: variables of a rulebook are templates."""
    text = str(value).lower()
    if text not in (*_TRUE, *_FALSE):
        raise InvalidOption(f"The argument {name} is neither true nor false", "Give one of them.")
    return text in _TRUE


def read_number(low: float, high: float) -> Reader:
    """Return a reader of numbers in this range."""

    def read(name: str, value: Any) -> float:
        try:
            number = float("nan" if isinstance(value, bool) else value)
        except (TypeError, ValueError):
            number = float("nan")
        if not low <= number <= high:
            raise InvalidOption(f"The argument {name} is not a number from {low:g} to {high:g}", "Give one of these.")
        return number

    return read


def read_list(name: str, value: Any) -> list[str]:
    """Return a list of texts, which may also be one text, with commas between."""
    items = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
        raise InvalidOption(f"The argument {name} is not a list of texts", "Give a list, or a text with commas.")
    return items


def read_keys(name: str, value: Any) -> list[str]:
    """Return a list of keys, which no message quotes."""
    keys = read_list(name, value)
    if not all(_AUTH_KEY.fullmatch(key) for key in keys):
        raise InvalidOption(
            f"The argument {name} has an entry that is not a key", "Give keys of 16 to 64 letters and digits."
        )
    return keys


def read_hosts(name: str, value: Any) -> list[str]:
    """Return a list of hosts, each with or without a port."""
    hosts = read_list(name, value)
    if not all(_HOST.fullmatch(host) for host in hosts):
        raise InvalidOption(
            f"The argument {name} has an entry that is not a host", "Give the host of the callback URL, without scheme."
        )
    return hosts


def read_domains(name: str, value: Any) -> dict[str, str]:
    """Return a mapping of domains to domains."""
    if not isinstance(value, dict) or not all(isinstance(item, str) for pair in value.items() for item in pair):
        raise InvalidOption(f"The argument {name} is not a mapping", "Give it as {push.example.com: live.example.com}.")
    for domain in (domain for pair in value.items() for domain in pair):
        check_domain(domain)
    return value


def read_domain_list(name: str, value: Any) -> list[str]:
    """Return a list of domains, which may be empty."""
    domains = read_list(name, value) if value else []
    for domain in domains:
        check_domain(domain)
    return domains


def read_path(name: str, value: Any) -> str:
    """Return the path of a URL."""
    if not isinstance(value, str) or not re.fullmatch(r"/[!-~]*", value) or any(mark in value for mark in "?#%"):
        raise InvalidOption(f"The argument {name} is not the path of a URL", "Give one like /s3cret.")
    return value


def read_file(name: str, value: Any) -> str:
    """Return the path of an existing file."""
    path = os.path.expanduser(read_text(name, value))
    if not os.path.isfile(path):
        raise InvalidOption(f"The argument {name} names a file that does not exist", "Check the path.")
    return path


# Common to all sources.
_COMMON: dict[str, tuple[Reader, Any]] = {
    "batch_window": (read_number(0, 60), 1.0),
    "batch_details": (read_bool, True),
    "meta_hosts": (read_bool, True),
    "ingest_domains": (read_domains, {}),
    "spool": (read_text, None),
    "feedback": (read_bool, False),
}
EVENTS: dict[str, tuple[Reader, Any]] = {
    **_COMMON,
    "host": (read_text, "127.0.0.1"),
    "port": (read_number(0, 65535), 8080),
    "path": (read_path, "/"),
    "certfile": (read_file, None),
    "keyfile": (read_file, None),
    "recording_auth_keys": (read_keys, []),
    "ingest_auth_keys": (read_keys, []),
    "callback_hosts": (read_hosts, []),
    "allow_unsigned": (read_bool, False),
    "max_age": (read_number(1, 3600), 300.0),
    "max_rate": (read_number(1, 100_000), 1000.0),
    "max_body": (read_number(1024, 1024 * 1024), 64 * 1024.0),
    "read_timeout": (read_number(0.1, 60), 5.0),
}
POLL: dict[str, tuple[Reader, Any]] = {
    **_COMMON,
    "domains": (read_domain_list, None),
    "interval": (read_number(1, 3600), 5.0),
    "overlap": (read_number(10, 3600), 60.0),
    "state_file": (read_text, None),
    "connection": (lambda _name, value: value, {}),
}
NORMALIZE: dict[str, tuple[Reader, Any]] = {
    name: EVENTS[name]
    for name in ("recording_auth_keys", "ingest_auth_keys", "callback_hosts", "ingest_domains", "max_age")
}
_INTERNAL = ("eda_feedback_queue",)


def read_options(known: Mapping[str, tuple[Reader, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options, with defaults for those that are not given or null; raises InvalidOption."""
    unknown = sorted(str(name) for name in given if name not in known and name not in _INTERNAL)
    if unknown:
        raise InvalidOption(f"There is no argument {', '.join(unknown)}", "Check its spelling.")
    return {
        name: default if given.get(name) is None else read(name, given[name]) for name, (read, default) in known.items()
    }


def check_receiver(options: Mapping[str, Any]) -> None:
    """Raise InvalidOption if the options of a receiver do not fit together."""
    if not (options["recording_auth_keys"] or options["ingest_auth_keys"] or options["allow_unsigned"]):
        raise InvalidOption(
            "Neither recording_auth_keys nor ingest_auth_keys is given, so that anybody could send events",
            "Give the keys that the callbacks are signed with, or set allow_unsigned where only the cloud has access.",
        )
    if bool(options["certfile"]) != bool(options["keyfile"]):
        raise InvalidOption("Only one of certfile and keyfile is given", "Give both, or a proxy that terminates TLS.")
