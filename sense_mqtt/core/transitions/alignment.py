"""Which items of the timeline are which told edges: two rows in time, laid side by side. Pure.

Every judgement lays them side by side anew. Items come late and out of order; an edge that took the only item at hand
gives it back when a better one shows up.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from sense_mqtt.core.wire.timeline import EdgeType, TimelineItem

SAME_S = 0.5  # an item that is rewritten keeps its time; that of a different edge is further away


@dataclass(frozen=True, slots=True)
class Known:
    """An edge that was told."""

    event_type: str
    time: float  # as told, seconds UTC
    earliest: float  # it did not happen before: the look before, or `time` itself
    told: float | None = None  # when it happened by the timeline, where that tells of it too
    guid: str | None = None  # of the timeline's item

    @property
    def is_exact(self) -> bool:
        """It was told as the timeline's own: no other item can be meant."""
        return self.earliest == self.time == self.told


def match(
    rumours: Sequence[TimelineItem], known: Sequence[Known], offset_s: float, tolerance_s: float
) -> tuple[list[Known], list[TimelineItem]]:
    """Return the known edges of a device with their items, and the items that are left.

    `offset_s`: the timeline's clock is ahead of the edges' by so much.
    """
    since = min(item.time for item in rumours) - offset_s - tolerance_s
    movable = [edge for edge in known if not edge.is_exact and edge.time >= since]
    items = sorted([*rumours, *items_of(movable, rumours[0].device)], key=lambda item: item.time)
    matches = dict(zip(map(id, movable), align(movable, items, offset_s, tolerance_s), strict=True))
    taken = {id(item) for item in matches.values()}
    matched = [_tell(edge, matches[id(edge)]) if id(edge) in matches else edge for edge in known]
    return matched, [item for item in items if id(item) not in taken]


def items_of(edges: Iterable[Known], device: str) -> Iterator[TimelineItem]:
    """Yield what the timeline said of these edges of a device."""
    for edge in edges:
        if edge.told is not None:
            yield TimelineItem(device, cast(EdgeType, edge.event_type), edge.told, edge.guid)


def unmatch(edges: Iterable[Known], removed: Sequence[TimelineItem]) -> tuple[Known, ...]:
    """Return the known edges of a device without these items; one that was told as the timeline's own keeps its."""
    return tuple(_tell(edge, None) if _has_one_of(removed, edge) else edge for edge in edges)


def _has_one_of(items: Sequence[TimelineItem], edge: Known) -> bool:
    own = () if edge.is_exact else items_of([edge], items[0].device)
    return any(is_same_item(item, mine) for mine in own for item in items)


def _tell(edge: Known, item: TimelineItem | None) -> Known:
    return replace(edge, told=item.time, guid=item.guid) if item else replace(edge, told=None, guid=None)


# --- side by side


Score = tuple[int, float, float]  # how many find each other, how far they are apart (negative), how new the items are

_NOTHING: Score = (0, 0.0, 0.0)


def align(
    edges: Sequence[Known], items: Sequence[TimelineItem], offset_s: float, tolerance_s: float
) -> Iterator[TimelineItem | None]:
    """Yield the item of each edge, or None; both rows oldest first, and no two pairs cross.

    As many as possible find each other, of equally many those that are nearest, of equally near ones the newest.
    """
    scores = _score(edges, items, offset_s, tolerance_s)
    item = 0
    for number in range(len(edges)):
        while item < len(items) and scores[number][item] == scores[number][item + 1]:
            item += 1
        if scores[number][item] == scores[number + 1][item]:
            yield None
        else:
            yield items[item]
            item += 1


def _score(
    edges: Sequence[Known], items: Sequence[TimelineItem], offset_s: float, tolerance_s: float
) -> list[list[Score]]:
    """Return the best score of the edges from each on, beside the items from each on."""
    scores = [[_NOTHING] * (len(items) + 1) for _ in range(len(edges) + 1)]
    for row in range(len(edges) - 1, -1, -1):
        edge = edges[row]
        for column in range(len(items) - 1, -1, -1):
            best = max(scores[row + 1][column], scores[row][column + 1])
            distance_s = _distance_s(edge, items[column], offset_s)
            if distance_s is not None and distance_s <= tolerance_s:
                count, nearness, newness = scores[row + 1][column + 1]
                best = max(best, (count + 1, nearness - distance_s, newness + items[column].time))
            scores[row][column] = best
    return scores


def _distance_s(edge: Known, item: TimelineItem, offset_s: float) -> float | None:
    """Return how far the item is from the span in which the edge happened, or None where it is of another kind."""
    if item.edge != edge.event_type:
        return None
    time = item.time - offset_s
    return max(edge.earliest - time, time - edge.time, 0.0)


# --- the same again


def is_same_item(item: TimelineItem, other: TimelineItem) -> bool:
    """Say whether two items tell of one edge: a rewritten one keeps its guid or its time."""
    return (item.device, item.edge) == (other.device, other.edge) and (
        abs(item.time - other.time) < SAME_S or (item.guid is not None and item.guid == other.guid)
    )
