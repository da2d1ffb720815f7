"""The commands, a module for each group of them; they say what to do, and the graph does it."""
