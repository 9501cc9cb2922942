"""The fault harness: the bridge while everything around it fails, and a home whose true transitions are known."""
