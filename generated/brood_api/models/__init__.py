"""The documents of the Brood protocol, each in a module of its own."""
