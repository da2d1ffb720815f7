"""What went wrong, how it is told, and the exit codes."""
