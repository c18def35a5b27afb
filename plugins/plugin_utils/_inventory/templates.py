# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be told about a template without evaluating it, which takes Ansible half a millisecond each time."""

from __future__ import annotations

import re
from functools import cache

from jinja2 import Environment, TemplateSyntaxError, meta, nodes

_JINJA = Environment()
_JINJA.globals.clear()  # functions are then names like others
_SAME_EACH_TIME = frozenset(_JINJA.filters) - {"random"}


def is_template(text: str) -> bool:
    """Whether a text is a template rather than an expression."""
    return "{{" in text or "{%" in text


def complaint(text: str) -> str | None:
    """What Jinja2 finds wrong with a template or an expression; None where it can read it."""
    try:
        _parsed(text)
    except TemplateSyntaxError as error:
        return re.sub("'[^']{3,}'", "...", error.message or "")  # words of the text may be secrets
    return None


@cache
def decided_by(text: str) -> frozenset[str] | None:
    """The variables that alone decide what a template or an expression gives; None where other things may, too.

    Functions count as variables, so that nothing is decided by what a lookup does not depend on.
    """
    try:
        tree = _parsed(text)
        if any(found.name not in _SAME_EACH_TIME for found in tree.find_all(nodes.Filter)):
            return None
        return frozenset(meta.find_undeclared_variables(tree))
    except TemplateSyntaxError:  # also where there is a test that only Ansible has
        return None


def _parsed(text: str) -> nodes.Template:
    return _JINJA.parse(text if is_template(text) else f"{{{{ {text} }}}}")
