"""Variants of a recording whose pulls are known: fewer operations, other times and addresses."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from integration_tests.accuracy import Cell, Query, day_of

Record = TypeVar("Record")
DAYS = 3 * 86_400_000_000


@dataclass
class Operation(Generic[Record]):
    """What one command of a client left in the log; `pulled` is its image, and when it began."""

    day: date
    images: set[str]
    records: list[Record]
    pulled: tuple[str, int] | None = None


@dataclass
class Variant(Generic[Record]):
    records: list[Record]
    truth: Counter[Cell]


def variants(
    operations: list[Operation[Record]],
    later: Callable[[Record, int], Record],
    at_address: Callable[[Record, Callable[[str], str]], Record],
    seeds: int,
) -> Iterator[tuple[str, Variant[Record]]]:
    def variant(kept: list[Operation[Record]], moves: list[int] | None = None) -> Variant[Record]:
        found: Variant[Record] = Variant([], Counter())
        for each, move in zip(kept, moves or [0] * len(kept), strict=True):
            found.records += [later(record, move) for record in each.records]
            if each.pulled:
                image, start = each.pulled
                found.truth[image, day_of(start + move)] += 1
        return found

    for number, day in enumerate(sorted({each.day for each in operations})):
        yield f"day-{number}", variant([each for each in operations if each.day == day])
    images = {each.pulled[0] for each in operations if each.pulled}
    for number, image in enumerate(sorted(images)):
        yield f"image-{number}", variant([each for each in operations if image in each.images])
    for seed in range(seeds):
        chance = random.Random(seed)
        yield f"thinned-{seed}", variant([each for each in operations if chance.random() < 0.5])
        moves = [chance.randrange(-DAYS, DAYS) for _ in operations]
        yield f"shuffled-{seed}", variant(operations, moves)
        mixed = variant(operations)
        names: dict[str, str] = {}

        def address(name: str) -> str:
            return names.setdefault(name, f"198.51.100.{chance.randrange(5)}")  # noqa: B023

        mixed.records = [at_address(record, address) for record in mixed.records]
        yield f"mixed-{seed}", mixed


def judge(
    query: Query,
    truths: Mapping[str, Counter[Cell]],
    record_property: Callable[[str, object], None],
) -> None:
    """Compare the pulls of each world with its truth, per image and day."""
    counted = {world: Counter[Cell]() for world in truths}
    for image, day, pulls in query(
        "select image, pull_date, count(*) from pullstats.fct_image_pulls"
        " where is_complete and image is not null group by all"
    ):
        assert isinstance(day, date)
        for world in truths:
            if f"/{world}-" in str(image):
                counted[world][str(image).replace(f"{world}-", ""), day] += int(str(pulls))
    errors = {
        world: ((truth - counted[world]) + (counted[world] - truth)).total()
        for world, truth in truths.items()
    }
    pulls = {world: truth.total() for world, truth in truths.items()}
    worst = max(errors, key=lambda world: errors[world] / max(pulls[world], 50))
    figure = f"{sum(errors.values())} of {sum(pulls.values())} pulls wrong in {len(pulls)} variants"
    record_property(figure, f"worst {worst}, {errors[worst]} of {pulls[worst]}")
    assert sum(errors.values()) <= 0.02 * sum(pulls.values())
    assert not {
        world: f"{error} of {pulls[world]}"
        for world, error in errors.items()
        if error > max(2, 0.05 * pulls[world])
    }
