"""Energy, as Sense reports it and as it is published."""
