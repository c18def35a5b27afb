# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The change from one configuration to another with lost, refused and concurrent calls."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._domain import reconcile
from ansible_collections.apsaravideo.live.plugins.module_utils._domain.reconcile import (
    ADD,
    DELETE,
    REPLACE,
    UPDATE,
    Change,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import (
    ApiError,
    LiveError,
    NotSent,
    OutcomeUnknown,
    ResponseLost,
    Throttled,
)

# The possible fates of a call: whether it takes effect, and the error that it raises.
FATES = {
    "done": (True, None),
    "answer lost": (True, OutcomeUnknown),
    "request lost": (False, OutcomeUnknown),
    "refused": (False, ApiError),
    "throttled": (False, Throttled),
    "not sent": (False, NotSent),
}
READ_FATES = st.sampled_from(["done"] * 9 + ["lost"])
# A configuration is (what an update can change, what it cannot).
CONFIGS = st.tuples(st.integers(0, 2), st.integers(0, 1))
RIVALS = st.one_of(*[st.just("nothing")] * 4, st.none(), CONFIGS)


class Resource(reconcile.Resource):
    """A configuration in memory, whose calls have the given fates in order, and succeed afterwards."""

    def __init__(self, found, wanted, fates=(), reads=(), rivals=(), time_left=True):
        self.time_left = time_left
        self.there, self.wanted = found, wanted
        self.fates, self.reads, self.rivals = list(fates), list(reads), list(rivals)
        self.took_effect, self.made, self.deleted = [], [], None

    def read(self):
        if self.reads and self.reads.pop(0) == "lost":
            raise ResponseLost("reading failed", "Advice.")
        return self.there

    def _call(self, kind, allowed, after):
        self.made.append(kind)
        rival = self.rivals.pop(0) if self.rivals else "nothing"
        if rival != "nothing":
            self.there = rival
        effect, error = FATES[self.fates.pop(0) if self.fates else "done"]
        if effect and allowed():
            self.there = after
            self.took_effect.append(kind)
        elif effect and error is None:
            error = ApiError
        if error:
            raise error(f"{kind} failed", "Advice.", code="Code")

    def add(self, config):
        self._call(ADD, lambda: self.there is None, config)

    def update(self, config):
        assert config[1] == self.wanted[1], "no update changes that"
        self._call(UPDATE, lambda: self.there is not None, config)

    def delete(self, config):
        try:
            self._call(DELETE, lambda: self.there is not None, None)
        finally:
            if self.took_effect[-1:] == [DELETE]:
                self.deleted = config

    def may_retry(self):
        return self.time_left

    def plan(self, found):
        if found == self.wanted:
            return None
        if self.wanted is None:
            return Change(DELETE, None)
        if found is None:
            return Change(ADD, self.wanted)
        return Change(UPDATE if found[1] == self.wanted[1] else REPLACE, self.wanted)

    def list_differences(self, found):
        return [] if found == self.wanted else ["it"]

    def render(self, config):
        return None if config is None else {"it": config}


@example(None, (0, 1), ["done", "done", "request lost", "request lost"], [], [(0, 0)], False)
@settings(max_examples=300, deadline=None)
@given(
    found=st.none() | CONFIGS,
    wanted=st.none() | CONFIGS,
    fates=st.lists(st.sampled_from(list(FATES)), max_size=5),
    reads=st.lists(READ_FATES, max_size=6),
    rivals=st.lists(RIVALS, max_size=4),
    time_left=st.booleans(),
)
def test_outcome_agrees_with_the_effects_of_all_calls(found, wanted, fates, reads, rivals, time_left):
    resource = Resource(found, wanted, fates, reads, rivals, time_left)
    try:
        outcome = reconcile.apply(resource)
    except LiveError as error:
        assert error.may_have_changed or not resource.took_effect
        undone = DELETE in resource.took_effect and resource.there is None
        if wanted is not None and undone and not any(rival is None for rival in rivals):
            assert "gone" in str(error) and str(resource.render(resource.deleted)) in str(error)
        return
    assert outcome.after == resource.there == wanted
    assert outcome.changed or not resource.took_effect
    assert outcome.changed or outcome.before == outcome.after
    if not fates and not reads and not any(rival != "nothing" for rival in rivals):
        assert outcome == reconcile.predict(Resource(found, wanted))
        assert outcome.before == found


@given(found=st.none() | CONFIGS, wanted=st.none() | CONFIGS)
def test_no_more_calls_than_needed(found, wanted):
    resource = Resource(found, wanted)
    outcome = reconcile.apply(resource)
    change = resource.plan(found)
    needed = [] if change is None else {REPLACE: [DELETE, ADD]}.get(change.kind, [change.kind])
    assert resource.made == resource.took_effect == needed
    assert (outcome.changed, outcome.replaced) == (bool(needed), needed == [DELETE, ADD])


@pytest.mark.parametrize("fate", ["answer lost", "request lost"])
@pytest.mark.parametrize(("found", "wanted"), [(None, (1, 1)), ((1, 1), None), ((1, 1), (2, 1))])
def test_call_is_repeated_at_most_once_and_only_after_a_read(found, wanted, fate):
    resource = Resource(found, wanted, [fate] * 9)
    if fate == "answer lost":
        assert reconcile.apply(resource).changed
    else:
        with pytest.raises(OutcomeUnknown, match="found nothing changed"):
            reconcile.apply(resource)
    assert len(resource.made) == (1 if fate == "answer lost" else 2)
    blind = Resource(found, wanted, [fate] * 9, ["done", "lost"])
    with pytest.raises(OutcomeUnknown):
        reconcile.apply(blind)
    assert len(blind.made) == 1, "without a look it is not repeated"


def test_call_that_cannot_have_taken_effect_needs_no_read():
    for fate in ("throttled", "not sent"):
        resource = Resource(None, (1, 1), [fate], ["done", "lost"])
        with pytest.raises(LiveError) as caught:
            reconcile.apply(resource)
        assert not caught.value.may_have_changed and resource.reads == ["lost"]


def test_concurrent_modification_fails_after_three_rounds():
    resource = Resource((0, 0), (1, 0), rivals=[None, (0, 0), None, (0, 0), None])
    with pytest.raises(ApiError, match="something else changes it at the same time"):
        reconcile.apply(resource)
    assert resource.made == [UPDATE, ADD, UPDATE]


def test_change_that_the_cloud_does_not_show_is_a_warning():
    resource = Resource(None, (1, 1))
    unseen = reconcile.Outcome(True, None, (0, 0))
    assert "it differ" in reconcile.verification_warnings(resource, unseen)[0]
    assert reconcile.verification_warnings(resource, unseen._replace(after=(1, 1))) == []
    assert reconcile.verification_warnings(resource, unseen._replace(changed=False)) == []


def test_time_of_creation_is_not_a_difference():
    class Shown(Resource):
        def render(self, config):
            return config

    before, after = {"a": 1, "create_time": "t1"}, {"a": 1, "create_time": "t2"}
    result = reconcile.make_result(Shown(None, None), reconcile.Outcome(True, before, after))
    assert result["diff"] == {"before": {"a": 1}, "after": {"a": 1}} and result["config"] == after
    assert reconcile.make_result(Shown(None, None), reconcile.Outcome(True, before, None))["diff"]["after"] == {}
