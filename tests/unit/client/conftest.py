"""What the tests of the client share."""

import pytest
from fake_tapis import FakeTapis


@pytest.fixture
def fake():
    return FakeTapis()


@pytest.fixture
def tapis(fake):
    return fake.tapis()
