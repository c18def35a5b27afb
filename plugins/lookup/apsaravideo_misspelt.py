# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find misspelt extra variables."""

from __future__ import annotations

DOCUMENTATION = r"""
name: apsaravideo_misspelt
short_description: Find misspelt variables of the playbooks
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Returns a message if an extra variable (C(-e)) begins with C(apsaravideo_), C(record_) or C(window_), is not read by
    any playbook or role of the collection, and looks like one that is, such as C(record_fial_each). Ansible itself
    ignores such a variable.
  - Returns a message if another extra variable is a typing slip or two (a letter missing, added, wrong, or swapped with
    the next one) away from one that a playbook of the collection takes, such as C(bacth) from C(batch). In a name of
    less than 9 letters it is one slip that leaves the beginning right, and in one of less than 5 letters only two
    swapped ones. Names with a digit, and plurals such as C(targets), are taken for variables of your own.
  - Warns if C(reports) of the playbook merge_reports is set and C(report) is not.
  - Returns a message if C(record_fail_each) is not a number.
  - Warns about other extra variables with these prefixes that nothing reads.
  - The playbooks of the collection refuse to run with such a message.
options: {}
"""

EXAMPLES = r"""
- name: Refuse misspelt variables
  ansible.builtin.assert:
    that: misspelt == ''
    fail_msg: "{{ misspelt }}"
    quiet: true
  vars:
    misspelt: "{{ lookup('apsaravideo.live.apsaravideo_misspelt') }}"
"""

RETURN = r"""
_raw:
  description: The message, or nothing.
  type: list
  elements: str
"""

from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.lookup import LookupBase
from ansible.template import Templar
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars

from ..module_utils._errors import InvalidOption
from ..plugin_utils._action.hosts import evaluate
from ..plugin_utils._action.variable_names import refuse_misspelt

_FAIL_EACH = "record_fail_each"


class LookupModule(LookupBase):
    """The lookup plugin."""

    _loader: DataLoader
    _templar: Templar

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """Return the first problem, if there is any."""
        try:
            for warning in refuse_misspelt(load_extra_vars(self._loader)):
                Display().warning(warning)
            self._check_fail_each(variables or {})
        except InvalidOption as error:
            return [str(error)]
        return []

    def _check_fail_each(self, variables: dict[str, Any]) -> None:
        """Raise InvalidOption for a limit that is no number, which no option of a module checks."""
        value = str(evaluate(self._templar, _FAIL_EACH, variables.get(_FAIL_EACH, 0), variables.get("omit")))
        if not (value.isascii() and value.isdigit()):
            raise InvalidOption(f"The variable {_FAIL_EACH} is {value}", "Give a number of streams, 0 or more.")
