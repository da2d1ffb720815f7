"""A process that does nothing: what Python itself takes."""
