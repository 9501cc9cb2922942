"""One day of energy, as the tests of `core/energy` expect it."""

from sense_mqtt.core.energy.periods import DeviceConsumption, Energy

START = "2026-11-21T05:00:00.000Z"
DRYER = DeviceConsumption("1a2b3c4d", "Dryer", 2.5)
SUNNY = Energy("DAY", START, 12.0, 10.0, 4.5, 2.5, -2.0, 62.0)
