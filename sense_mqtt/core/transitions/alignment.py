"""Which items of the timeline are which published edges: both rows aligned in time.

Every decision aligns them anew. Items come late and out of order; an edge that was paired with the only item at hand
is paired with a better one when that comes.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from sense_mqtt.core.edges import Edge, timeline_edge
from sense_mqtt.core.transitions.timing import SAME_ITEM_S


def match(
    items: Sequence[Edge], edges: Sequence[Edge], offset_s: float, tolerance_s: float
) -> tuple[list[Edge], list[Edge]]:
    """Return the published edges of a device with their items, and the items that are left.

    `offset_s`: seconds that the timeline's clock is ahead of the frames'.
    """
    since = min(item.time for item in items) - offset_s - tolerance_s
    movable = [edge for edge in edges if not edge.is_from_timeline and edge.time >= since]
    items = sorted([*items, *items_of(movable)], key=lambda item: item.time)
    matches = dict(zip(map(id, movable), align(movable, items, offset_s, tolerance_s), strict=True))
    taken = {id(item) for item in matches.values()}
    matched = [_with_item(edge, matches[id(edge)]) if id(edge) in matches else edge for edge in edges]
    return matched, [item for item in items if id(item) not in taken]


def items_of(edges: Iterable[Edge]) -> Iterator[Edge]:
    """Yield what the timeline told of these edges."""
    for edge in edges:
        if edge.timeline_time is not None:
            yield timeline_edge(edge.device, edge.kind, edge.timeline_time, edge.guid)


def unmatch(edges: Iterable[Edge], removed: Sequence[Edge]) -> tuple[Edge, ...]:
    """Return the published edges of a device without these items; an edge from the timeline keeps its item."""
    return tuple(_with_item(edge, None) if _has_one_of(removed, edge) else edge for edge in edges)


def is_same_item(item: Edge, other: Edge) -> bool:
    """True where two items tell of one edge: a rewritten one keeps its guid or its time."""
    return (item.device, item.kind) == (other.device, other.kind) and (
        abs(item.time - other.time) < SAME_ITEM_S or (item.guid is not None and item.guid == other.guid)
    )


def _has_one_of(items: Sequence[Edge], edge: Edge) -> bool:
    own = () if edge.is_from_timeline else items_of([edge])
    return any(is_same_item(item, mine) for mine in own for item in items)


def _with_item(edge: Edge, item: Edge | None) -> Edge:
    return replace(edge, timeline_time=item.time if item else None, guid=item.guid if item else None)


# --- the alignment


Score = tuple[int, float, float]  # how many pairs, how far they are apart (negative), how new the items are

_NOTHING: Score = (0, 0.0, 0.0)


def align(edges: Sequence[Edge], items: Sequence[Edge], offset_s: float, tolerance_s: float) -> Iterator[Edge | None]:
    """Yield the item of each edge, or None; both rows oldest first, and no two pairs cross.

    As many pairs as possible, of equally many those that are nearest, of equally near ones the newest.
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


def _score(edges: Sequence[Edge], items: Sequence[Edge], offset_s: float, tolerance_s: float) -> list[list[Score]]:
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


def _distance_s(edge: Edge, item: Edge, offset_s: float) -> float | None:
    """Return how far the item is from the span in which the edge happened, or None where it is of another kind."""
    if item.kind is not edge.kind:
        return None
    time = item.time - offset_s
    return max(edge.not_before - time, time - edge.time, 0.0)
