"""The portal against a model in plain Python, in an order that Hypothesis chooses (F4)."""

import pytest

from faults import machine, world

pytestmark = pytest.mark.django_db


def test_the_portal_and_the_model_come_to_the_same():
    world.institution()
    machine.play(examples=15, steps=25)
