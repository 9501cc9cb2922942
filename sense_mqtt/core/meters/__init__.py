"""Meters that only grow: kWh of the house and of each device since the first start."""
