"""Where the command `sense-mqtt` begins; `python -m sense_mqtt` is the same."""

import gc
import sys


def main() -> int:
    """Run the command line; return its exit code."""
    gc.disable()  # what is imported stays
    try:  # importing all of it takes half a second, in which a person may press Ctrl-C
        from sense_mqtt.cli.main import main as run
    except KeyboardInterrupt:
        return 0
    gc.enable()
    return run()


if __name__ == "__main__":
    sys.exit(main())
