"""The oracle's random numbers: known answers, distributions, addresses."""

import math
from statistics import NormalDist, fmean

import pytest

import recurrentnn as rnn
from recurrentnn import reference as ref
from recurrentnn.reference import init, random


def test_philox_gives_the_known_answers_of_its_authors() -> None:
    ones = 0xFFFF_FFFF
    pi = (0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344)
    answers = {
        ((0, 0), (0, 0, 0, 0)): "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
        ((ones, ones), (ones,) * 4): "408f276d 41c83b0e a20bc7c6 6d5451fd",
        ((0xA409_3822, 0x299F_31D0), pi): "d16cfe09 94fdcceb 5001e420 24126ea1",
    }
    for (key, counter), answer in answers.items():
        got = random.philox(key, counter)
        assert " ".join(f"{word:08x}" for word in got) == answer


def test_the_address_of_a_draw_is_where_the_contract_puts_it() -> None:
    seed, step, index = 0x1234_5678_9ABC_DEF0, 7, 0x1_0000_0003
    key = (0x9ABC_DEF0, 0x1234_5678)
    w = random.philox(key, (0x8000_0001, 0, step, random.SAMPLE))
    expected = ((w[3] << 32 | w[2]) >> 11) / 2**53
    assert random.uniform(seed, random.SAMPLE, step, index) == expected
    w = random.philox(key, (3, 1, step, random.SAMPLE))
    assert random.words(seed, random.SAMPLE, step, index) == w


def test_uniform_draws_are_uniform() -> None:
    n = 4000
    draws = sorted(random.uniform(3, random.MATRIX, 0, k) for k in range(n))
    # Kolmogorov and Smirnov: above 1.95/sqrt(n) once in a thousand.
    distance = max(abs(u - (k + 0.5) / n) for k, u in enumerate(draws))
    assert distance < 1.95 / math.sqrt(n)
    assert draws[0] >= 0.0
    assert draws[-1] < 1.0


def test_normal_draws_are_normal() -> None:
    n = 4000
    draws = sorted(random.normal(5, random.MATRIX, 0, k) for k in range(n))
    normal = NormalDist()
    distance = max(abs(normal.cdf(z) - (k + 0.5) / n) for k, z in enumerate(draws))
    assert distance < 1.95 / math.sqrt(n)
    assert abs(fmean(draws)) < 3.3 / math.sqrt(n)
    assert abs(fmean(z * z for z in draws) - 1.0) < 3.3 * math.sqrt(2.0 / n)


def test_logarithm_and_cosine_equal_those_of_the_c_library() -> None:
    for k in range(1, 2000):
        x = k / 2000.0
        assert random.ln(x) == pytest.approx(math.log(x), rel=1e-15, abs=0.0)
        assert random.ln(x * 1e-15) == pytest.approx(
            math.log(x * 1e-15), rel=1e-15, abs=0.0
        )
        turn = math.cos(2.0 * math.pi * x)
        assert random.cos2pi(x) == pytest.approx(turn, abs=1e-15)
    assert random.ln(1.0) == 0.0
    assert [random.cos2pi(v) for v in (0.0, 0.25, 0.5, 0.75)] == [1.0, 0.0, -1.0, 0.0]


def test_a_shuffle_permutes_every_order_alike() -> None:
    counts: dict[tuple[int, ...], int] = {}
    for step in range(1200):
        items = [0, 1, 2]
        random.shuffle(items, seed=1, step=step)
        counts[tuple(items)] = counts.get(tuple(items), 0) + 1
    assert len(counts) == 6
    # Chi squared of 5 degrees of freedom: above 20.5 once in a thousand.
    assert sum((n - 200) ** 2 / 200 for n in counts.values()) < 20.5


def test_a_shuffle_goes_from_the_end_and_its_draws_from_0() -> None:
    for step in range(20):
        u, v = (random.uniform(4, random.SHUFFLE, step, k) for k in (0, 1))
        expected = ["a", "b", "c"]
        j = math.floor(3.0 * u)
        expected[2], expected[j] = expected[j], expected[2]
        j = math.floor(2.0 * v)
        expected[1], expected[j] = expected[j], expected[1]
        items = ["a", "b", "c"]
        random.shuffle(items, seed=4, step=step)
        assert items == expected


def test_a_permutation_is_the_shuffle_of_the_first_integers() -> None:
    for length in (0, 1, 9):
        items = list(range(length))
        random.shuffle(items, seed=4, step=2)
        assert ref.permutation(length, seed=4, step=2) == items
        assert rnn.permutation(length, seed=4, step=2).tolist() == items
    with pytest.raises(ValueError, match="length must be"):
        ref.permutation(-1)


def test_addresses_out_of_range_are_refused() -> None:
    for address in ((-1, 0, 0, 0), (1 << 64, 0, 0, 0), (0, 0, 1 << 32, 0)):
        with pytest.raises(ValueError, match=r"random: \w+ must be in"):
            random.words(*address)


@pytest.mark.parametrize("shape", [(60, 60), (7, 3), (3, 7), (1, 1)])
def test_orthogonal_is_orthonormal_along_its_short_side(shape: tuple[int, int]) -> None:
    q = init.orthogonal(*shape, seed=2, step=4)
    gram = q.T @ q if q.rows >= q.cols else q @ q.T
    for i, row in enumerate(gram.tolist()):
        assert row == pytest.approx([float(i == j) for j in range(len(row))], abs=2e-15)


def test_first_values_have_their_moments_and_their_address() -> None:
    m = init.glorot_uniform(40, 20, seed=1, step=3)
    limit = math.sqrt(0.1)
    assert 0.98 * limit < max(map(abs, m.value)) <= limit
    assert m.value[5] == -limit + 2.0 * limit * random.uniform(1, random.INIT, 3, 5)
    n = init.normal(2, 2, 1.0, 0.5, seed=1, step=3)
    assert n.value[3] == 1.0 + 0.5 * random.normal(1, random.INIT, 3, 3)
    drawn = ref.Matrix.uniform(2, 2, -1.0, 1.0, seed=4)
    assert drawn.value[2] == -1.0 + 2.0 * random.uniform(4, random.MATRIX, 0, 2)
