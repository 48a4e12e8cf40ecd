"""Dependencies are pinned twice, once by hash, and none brings a licence that binds who runs the services."""

from importlib import metadata

import pytest
from licences import forbidden, licence_of
from pins import CONSTRAINTS, LOCK, pins, problems


def test_lock_and_constraints_agree_and_every_entry_has_its_hash():
    assert len(pins(LOCK.read_text())) > 100
    assert problems(LOCK.read_text(), CONSTRAINTS.read_text()) == []


@pytest.mark.parametrize(
    ("lock", "constraints", "problem"),
    [
        ("a==1 \\\n    --hash=sha256:00\n", "a==2\n", "a is {'2'} in constraints.txt and {'1'} in requirements.lock"),
        ("a==1\n", "a==1\n", "a has no hash in requirements.lock"),
        ("a==1 \\\n    --hash=sha256:00\n", "a==1\nb==1\n", "b is in constraints.txt and not in requirements.lock"),
    ],
)
def test_what_does_not_agree_is_told(lock, constraints, problem):
    assert [found for found in problems(lock, constraints) if found.startswith(problem)]


def test_no_licence_of_a_dependency_is_forbidden():
    found = {distribution.name: licence_of(distribution) for distribution in metadata.distributions()}
    assert [name for name, licence in found.items() if forbidden(licence)] == []


@pytest.mark.parametrize(
    ("licence", "is_forbidden"),
    [
        ("AGPL-3.0-only", True),
        ("GNU Affero General Public License v3", True),
        ("Apache-2.0 OR AGPL-3.0-only", False),
        ("MIT", False),
        ("", False),
    ],
)
def test_licences_are_told_apart(licence, is_forbidden):
    assert forbidden(licence) is is_forbidden
