"""Sending requests: the one session, and the one place that knows httpx."""
