"""`python -m sense_mqtt` is `sense-mqtt`."""

import sys

from sense_mqtt.cli.main import main

sys.exit(main())
