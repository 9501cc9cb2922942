"""The only place that puts the parts together: `assemble` the bridge, `sense_client` what talks to Sense."""
