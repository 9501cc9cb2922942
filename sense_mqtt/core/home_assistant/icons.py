"""Which icon of Material Design Icons Home Assistant shows for a device.

Sense's type says more than its icon: one icon stands for a dryer, a washer and a water heater alike. Where neither is
known here, the kind of the device decides. Words of Sense: samples of its answers, and those that Home Assistant's own
integration knows.
"""

from collections.abc import Mapping

from sense_mqtt.core.wire.devices import Kind

# Sense's words without blanks, underscores and capitals.
_BY_TYPE: Mapping[str, str] = {
    "airconditioner": "air-conditioner",
    "airpurifier": "air-filter",
    "alwayson": "clock-outline",
    "bathfan": "fan",
    "blender": "blender",
    "ceilingfan": "ceiling-fan",
    "coffeemaker": "coffee-maker",
    "computer": "desktop-classic",
    "curlingiron": "hair-dryer",
    "dehumidifier": "air-humidifier-off",
    "dishwasher": "dishwasher",
    "disposal": "trash-can",
    "dryer": "tumble-dryer",
    "electricdryer": "tumble-dryer",
    "electricvehicle": "car-electric",
    "fan": "fan",
    "floorheating": "heating-coil",
    "freezer": "fridge-industrial-outline",
    "fridge": "fridge",
    "furnace": "hvac",
    "garagedoor": "garage",
    "gasdryer": "tumble-dryer",
    "hairdryer": "hair-dryer",
    "heater": "radiator",
    "heatpump": "heat-pump",
    "hottub": "hot-tub",
    "iron": "iron",
    "light": "lightbulb",
    "lighting": "lightbulb",
    "lights": "lightbulb",
    "microwave": "microwave",
    "mysteryheat": "heating-coil",
    "mysterymotor": "engine",
    "othercooling": "snowflake",
    "otherheater": "radiator",
    "oven": "stove",
    "pool": "pool",
    "poolpump": "pool",
    "printer": "printer",
    "pump": "water-pump",
    "refrigerator": "fridge",
    "solar": "solar-power-variant",
    "spaceheater": "radiator",
    "stove": "stove",
    "stovetop": "stove",
    "sumppump": "water-pump",
    "tankedwaterheater": "water-boiler",
    "teakettle": "kettle",
    "toaster": "toaster",
    "toasteroven": "toaster-oven",
    "tv": "television",
    "unknown": "help-circle-outline",
    "unknownheat": "heating-coil",
    "unknownmotor": "engine",
    "vacuum": "vacuum",
    "washer": "washing-machine",
    "washingmachine": "washing-machine",
    "waterheater": "water-boiler",
    "wellpump": "water-well",
    "window": "air-conditioner",
}
_BY_ICON: Mapping[str, str] = {
    "ac": "air-conditioner",
    "alwayson": "clock-outline",
    "aquarium": "fish",
    "car": "car-electric",
    "computer": "desktop-classic",
    "cup": "coffee",
    "dehumidifier": "air-humidifier-off",
    "dishes": "dishwasher",
    "drill": "hammer-screwdriver",
    "fan": "fan",
    "freezer": "fridge-industrial-outline",
    "fridge": "fridge",
    "game": "gamepad-variant",
    "garage": "garage",
    "grill": "grill",
    "hairdryer": "hair-dryer",
    "heat": "heating-coil",
    "heater": "radiator",
    "home": "help-circle-outline",  # of what Sense could not name
    "humidifier": "air-humidifier",
    "kettle": "kettle",
    "leafblower": "leaf",
    "lightbulb": "lightbulb",
    "lighting": "lightbulb",
    "mediaconsole": "set-top-box",
    "microwave": "microwave",
    "modem": "router-wireless",
    "outlet": "power-socket-us",
    "papershredder": "paper-roll",
    "plug": "power-plug",
    "printer": "printer",
    "pump": "water-pump",
    "settings": "cog",
    "skillet": "pot-steam",
    "smartcamera": "cctv",
    "socket": "power-plug",
    "solaralt": "solar-power-variant",
    "sound": "speaker",
    "stove": "stove",
    "toasteroven": "toaster-oven",
    "trash": "trash-can",
    "tv": "television",
    "unknownmotor": "engine",
    "vacuum": "robot-vacuum",
    "washer": "washing-machine",
}
_BY_KIND: Mapping[Kind, str] = {"detected": "flash-outline", "plug": "power-plug", "virtual": "home-lightning-bolt"}


def device_icon(device_type: str | None, icon: str | None, kind: Kind) -> str:
    """Return the icon of a device, as `mdi:washing-machine`."""
    found = _BY_TYPE.get(_plain(device_type)) or _BY_ICON.get(_plain(icon)) or _BY_KIND[kind]
    return f"mdi:{found}"


def _plain(word: str | None) -> str:
    return "".join(letter for letter in (word or "").lower() if letter.isalnum())
