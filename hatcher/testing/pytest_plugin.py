"""pytest fixtures: a running Brood, thrown away after the test."""
