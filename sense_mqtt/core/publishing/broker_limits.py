"""What a broker cannot do, as its CONNACK says, and what that costs; one sentence each."""

from collections.abc import Iterator

NO_RETAIN = (
    "the broker keeps no retained messages: who subscribes later hears nothing before the next change, except that all "
    "is said again on each connection and whenever Home Assistant starts; allow retained messages in the broker"
)
QOS_0 = (
    "the broker takes QoS 0 only: a message that is lost on the way is not sent again, and an event counts as "
    "delivered once it is written to the connection; allow QoS 1 in the broker"
)
NO_WILDCARDS = (
    "the broker takes no wildcards in subscriptions: commands on MQTT do not arrive; allow wildcards in the broker"
)


ENOUGH_BYTES = 65536  # bytes; discovery of a house with many devices is about half of this


def describe_maximum_packet_size(limit: int | None) -> Iterator[str]:
    """Yield what a broker that takes small packets only does not get."""
    if limit is not None and limit < ENOUGH_BYTES:
        yield f"the broker takes packets of at most {limit} bytes: larger ones, such as discovery, may be left out"


def describe_limits(*, retain_available: bool, maximum_qos: int, wildcards_available: bool) -> Iterator[str]:
    """Yield what does not work with this broker; nothing where it can do all that we use."""
    if not retain_available:
        yield NO_RETAIN
    if maximum_qos < 1:
        yield QOS_0
    if not wildcards_available:
        yield NO_WILDCARDS
