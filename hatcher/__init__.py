"""hatcher: the Python API and command line of Brood."""

__version__ = "1.0.0.dev0"
