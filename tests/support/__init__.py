"""What the tests are built from; README.md is the map."""
