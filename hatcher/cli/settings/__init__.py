"""Which server, who asks, and what is kept of it between two commands."""
