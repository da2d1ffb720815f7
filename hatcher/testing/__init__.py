"""What authors of tools on hatcher test with: a running Brood and real eggs."""
