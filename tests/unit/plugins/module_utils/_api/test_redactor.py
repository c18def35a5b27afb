# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets are masked wherever they stand in a text."""

from __future__ import annotations

import builtins
import hashlib
import random
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor, wait
from urllib.parse import quote

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api import redactor as redactor_module
from ansible_collections.apsaravideo.live.plugins.module_utils._api.redactor import MASK, Redactor

SIGNATURE = hashlib.sha256(b"one").hexdigest()


@pytest.mark.parametrize("text", ["token/+=", quote("token/+=", safe="")], ids=["as it is", "percent-encoded"])
def test_a_secret_is_masked(text):
    redactor = Redactor()
    redactor.learn("token/+=")
    assert redactor.mask(f"<{text}> <{text}>") == f"<{MASK}> <{MASK}>"


def test_a_secret_that_contains_another_is_masked_as_a_whole():
    redactor = Redactor()
    redactor.learn("secret")
    redactor.learn("secret-of-all")
    assert redactor.mask("secret-of-all secret") == f"{MASK} {MASK}"


def test_a_text_too_short_for_a_secret_is_not_masked():
    redactor = Redactor()
    redactor.learn("abcde", "")
    assert redactor.mask("abcdefg") == "abcdefg"


@pytest.mark.parametrize("around", ["{}", "{}0", "f{}", "Signature {}."])
def test_a_used_signature_is_masked_anywhere_in_a_text(around):
    redactor = Redactor()
    for number in range(1000):
        redactor.learn_signature(hashlib.sha256(str(number).encode()).hexdigest())
    redactor.learn_signature(SIGNATURE)
    assert redactor.mask(around.format(SIGNATURE)) == around.format(MASK)


def test_a_digest_that_is_no_signature_is_not_masked():
    redactor = Redactor()
    redactor.learn_signature(SIGNATURE)
    other = hashlib.sha256(b"other").hexdigest()
    assert redactor.mask(f"stream {other}") == f"stream {other}"


def test_a_named_signature_is_masked_though_it_was_not_used():
    assert Redactor().mask("Signature=ab%2Bc/d=, x") == f"Signature={MASK}, x"


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", True),
        ("access_key_id", True),
        ("notify_auth_key", True),
        ("GITHUB_TOKEN", True),
        ("db_password", True),
        ("domain_name", False),
        ("keyboard", False),
    ],
)
def test_a_value_is_masked_if_its_name_says_that_it_is_secret(name, masked):
    redactor = Redactor()
    redactor.learn_named({name: "the-value"})
    assert redactor.mask("the-value") == (MASK if masked else "the-value")


def test_a_value_that_is_not_valid_unicode_is_masked():
    redactor = Redactor()
    redactor.learn_named({"token": "the-token\udcff", "password": 1234567})
    assert redactor.mask("the-token\udcff 1234567") == f"{MASK} {MASK}"


def test_threads_may_share_a_redactor():
    redactor = Redactor()
    secrets = [f"secret-{number:04}" for number in range(400)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(redactor.learn, secrets))
    assert redactor.mask(" ".join(secrets)) == " ".join([MASK] * len(secrets))


def test_a_secret_that_another_thread_is_learning_is_masked(monkeypatch):
    is_learning, may_go_on = threading.Event(), threading.Event()

    def sort_slowly(*args, **kwargs):
        is_learning.set()
        may_go_on.wait(10)
        return builtins.sorted(*args, **kwargs)

    def learn_and_mask():
        redactor.learn("the-secret")
        return redactor.mask("the-secret")

    redactor = Redactor()
    monkeypatch.setattr(redactor_module, "sorted", sort_slowly, raising=False)
    with ThreadPoolExecutor(2) as pool:
        pool.submit(learn_and_mask)
        is_learning.wait(10)
        second = pool.submit(learn_and_mask)
        wait([second], 0.2)  # unless it waits for the first
        may_go_on.set()
        assert second.result() == MASK


def test_a_long_text_of_digits_takes_little_memory():
    redactor = Redactor()
    redactor.learn_signature(SIGNATURE)
    text = "".join(random.Random(1).choices("0123456789abcdef", k=200_000))
    tracemalloc.start()
    try:
        assert redactor.mask(text + SIGNATURE) == text + MASK
        assert tracemalloc.get_traced_memory()[1] < 10 * len(text)
    finally:
        tracemalloc.stop()
