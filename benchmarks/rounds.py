"""Two things measured by turns, so that whatever else the machine does meets both."""

import time
from collections.abc import Callable, Sequence
from statistics import median

Pair = tuple[float, float]


def by_turns(first: Callable[[], float], second: Callable[[], float], rounds: int) -> list[Pair]:
    """What `first` and `second` measured in each round; who begins changes from round to round."""
    pairs = []
    for number in range(rounds):
        if number % 2:
            later = second()
            pairs.append((first(), later))
        else:
            earlier = first()
            pairs.append((earlier, second()))
    return pairs


def median_ratio(pairs: Sequence[Pair]) -> float:
    """The median over the rounds of first / second."""
    return median(first / second for first, second in pairs)


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """How long `work` takes by `clock`."""
    begun = clock()
    work()
    return clock() - begun
