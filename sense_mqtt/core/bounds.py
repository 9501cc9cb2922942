"""How much a document from Sense may hold, judged by its text before it is parsed.

A parsed document takes up to fifty times the memory of its text: 8 MB of empty objects are 400 MB.
"""

MAX_RESPONSE_ITEMS = 250_000  # of REST; the largest known answer has some thousands
MAX_ID_LENGTH = 128  # characters; those of Sense have 8 to 36
MAX_DEVICE_ROWS = 2_000  # of one document, hidden devices among them
MAX_DEVICES = 500  # of one home; the largest known has some sixty
MAX_MERGED_DEVICES = 50  # that one device was merged from; two to five are usual
MAX_PENDING_ITEMS = 10_000  # of the timeline; the newest stay: as many as all pages of one reading hold
MAX_TOPIC_IDS = 2 * MAX_DEVICES  # of one home, kept for devices with ids that differ in unsafe characters only
MAX_FRAME_ITEMS = 50_000  # of the feed; the largest known frame has some hundreds


def holds_more_items(text: str | bytes, most: int) -> bool:
    """True where this JSON may hold more than `most` values, by its commas and opening brackets."""
    if len(text) <= most:
        return False
    if isinstance(text, str):
        return text.count("{") + text.count("[") + text.count(",") > most
    return text.count(b"{") + text.count(b"[") + text.count(b",") > most


# The bytes that may begin a list or a mapping of msgpack: 0x80 to 0x9F, and 0xDC to 0xDF.
_NO_CONTAINERS = bytes({*range(256)} - {*range(0x80, 0xA0), *range(0xDC, 0xE0)})


def may_hold_more_containers(packed: bytes, most: int) -> bool:
    """True where this msgpack may hold more than `most` lists and mappings, by the bytes that may begin one."""
    return len(packed) > most and len(packed.translate(None, _NO_CONTAINERS)) > most
