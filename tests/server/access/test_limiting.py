"""Token buckets: what goes through over a time is the rate and one burst, whatever the pattern."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pilothouse.server.access.limiting import Limiter, Rates


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.floats(0, 5), max_size=200), st.floats(0.5, 20))
def test_no_more_requests_than_the_rate_and_one_burst(gaps: list[float], rate: float) -> None:
    clock = _Clock()
    limiter, passed = Limiter(clock), 0
    for gap in gaps:
        clock.now += gap
        passed += limiter.wait((("a", Rates(requests=rate)),)) == 0
    assert passed <= rate * clock.now + max(rate * 10, 1) + 1e-6


def test_who_waits_as_long_as_said_goes_on() -> None:
    clock = _Clock()
    limiter, rates = Limiter(clock), Rates(requests=1)
    while not (wait := limiter.wait((("a", rates),))):
        pass
    clock.now += wait
    assert limiter.wait((("a", rates),)) == 0


def test_bytes_are_paid_afterwards_and_everybody_has_a_bucket() -> None:
    clock = _Clock()
    limiter, rates = Limiter(clock), Rates(bytes=100)
    assert limiter.wait((("a", rates),)) == 0
    limiter.pay((("a", rates),), 1_500)
    assert 4.9 < limiter.wait((("a", rates),)) < 5.1
    assert limiter.wait((("b", rates),)) == 0
    clock.now += 5.5
    assert limiter.wait((("a", rates),)) == 0


def test_without_a_rate_there_is_no_limit() -> None:
    limiter = Limiter()
    limiter.pay((("a", Rates()),), 10**12)
    assert all(limiter.wait((("a", Rates()),)) == 0 for _ in range(1_000))


def test_a_request_holds_to_all_of_its_limits_and_pays_none_that_another_refuses() -> None:
    clock = _Clock()
    limiter, tenant = Limiter(clock), ("shop", Rates(requests=2))
    ann, bob = (("shop/ann", Rates(requests=1)), tenant), (("shop/bob", Rates(requests=1)), tenant)
    assert [limiter.wait(ann) for _ in range(10)] == [0] * 10
    assert all(limiter.wait(ann) > 0 for _ in range(50))
    # What ann was refused has taken nothing from bob, whom the tenant's twenty leave ten.
    assert [limiter.wait(bob) for _ in range(10)] == [0] * 10
    assert limiter.wait((tenant,)) > 0
