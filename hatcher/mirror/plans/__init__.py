"""What has to be done so that two ends are equal, and the doing of it."""
