"""Takes out of a recording what tells who and where a home is: names, places, addresses, secrets. Ids stay."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from sense_mqtt.logs.redaction import HIDDEN, has_content, is_personal_key, is_secret_key

# Keys, or their last words, whose texts have a meaning in the protocol; all other texts are looked at.
KEPT_KEYS = re.compile(
    r"(?:^|[a-z]_?)(?:id|ids|guid|type|icon|state|status|version|checksum|scale|time|date|start|end|kind|method|mode|source)$"
    r"|^(?:device|devices|merges|merged_?into|mergeddevices|parents?|aliases|capability|query|created|updated|attrs|guids?)$"
)
FIGURE = re.compile(  # numbers, times, ids of devices and of the timeline's items
    r"-?\d+(?:\.\d+)?|\d{4}-\d\d-\d\d(?:[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|[0-9a-f]{8}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
# Words of Sense's own names of devices and rooms. Whoever types a name of their own uses other words too.
MIN_NAME_LENGTH = 3  # characters; shorter ones are in ordinary text
_WORDS = """
" a ac air always alwayson and appliance attic back basement bath bathroom bed bedroom boiler bulb car ceiling central
charger clear clothes coffee compressor computer conditioner cooker cooktop cooling dehumidifier device dimmer dining
dishwasher disposal door down downstairs dryer electric ev explorer false fan floor freezer fridge front fryer furnace
garage garbage gas geo grill guest hair hall hallway heat heater heating home hot house humidifier hvac ice idle
incandescent iron kettle kitchen lamp laundry led light lights living machine main maker master microwave mini motor
mystery night no none null occasional of off office offline oil ok on online opener other outdoor outlet outside oven
overcast partly patio paused pc peak pellet plug poll pond pool porch possible power printer projector pump purifier
radiator range refrigerator room sauna second sense sewing shop side sink slow smart snapshot socket solar space
stereo stove stream strip studio sump switch table television the toaster tool towel true tub turned tv unknown
unnamed up upstairs usage vacuum vehicle ventilation warmer washer washing water well window wine workshop yard yes
"""
WORDS = frozenset(_WORDS.split())


class RecordingRedactor:
    """Replaces each text that is no word of Sense's by an alias, the same one wherever it stands in the recording."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact  # takes out secrets that are known, and what looks like one
        self._aliases: dict[str, str] = {}

    def clean(self, data: Any, key: str = "") -> Any:
        """Return a copy of JSON-like data; `key` is where it stands."""
        match data:
            case Mapping():
                return {name: self._value(str(name), value) for name, value in data.items()}
            case list() | tuple():
                return [self.clean(item, key) for item in data]
            case str():
                return self._text(key, data)
            case _:
                return data

    def _value(self, key: str, value: Any) -> Any:
        if not has_content(value):
            return value
        if is_secret_key(key):
            return HIDDEN
        if is_personal_key(key):
            return self._alias(value) if isinstance(value, str) else HIDDEN
        return self.clean(value, key)

    def _text(self, key: str, text: str) -> str:
        clean = self._redact(text)
        if KEPT_KEYS.search(key.lower()) or FIGURE.fullmatch(clean) or _is_plain(clean):
            return clean
        return self._alias(text)

    def without_names(self, text: str) -> str:
        """Return a text in which everything that was replaced so far is replaced too, where it stands as a word."""
        known = sorted((name for name in self._aliases if len(name) >= MIN_NAME_LENGTH), key=len, reverse=True)
        if not known:
            return text
        pattern = "|".join(map(re.escape, known))
        return re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", lambda found: self._aliases[found[0]], text)

    def _alias(self, text: str) -> str:
        return self._aliases.setdefault(text, f"text {len(self._aliases) + 1}")


def _is_plain(text: str) -> bool:
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_A-Za-z]+", text)
    return re.fullmatch(r"[A-Za-z0-9 _().,/%&+-]*", text) is not None and all(word.lower() in WORDS for word in words)
