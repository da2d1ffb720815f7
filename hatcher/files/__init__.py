"""Files on disk: written whole or not at all, locked, cached within bounds, and read in blocks."""
