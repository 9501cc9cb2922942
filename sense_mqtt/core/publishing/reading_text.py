"""How the value of a reading is written in an MQTT payload."""

from datetime import datetime

from sense_mqtt.core.changes import Reading
from sense_mqtt.core.payloads import write_json, write_number
from sense_mqtt.core.readings.entities import entity_of
from sense_mqtt.core.timestamps import write_datetime


def payload_of(reading: Reading) -> str:
    """Return the payload; the empty one, which clears the topic, where the value is not known any more."""
    value, entity = reading.value, entity_of(reading.device, reading.key)
    match value:
        case None:
            return ""
        case bool():
            return entity.on_off_payloads[0 if value else 1]
        case str():
            return value
        case int():
            return str(value)
        case float():
            return write_number(value, entity.decimals or 0)
        case datetime():
            return write_datetime(value)
        case _:
            return write_json(value)
