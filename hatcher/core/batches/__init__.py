"""Many files at once: which to send or to receive, and what became of each."""
