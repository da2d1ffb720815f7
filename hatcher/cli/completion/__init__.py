"""Completion in shells: what may stand where, and the names that the server knows.

It is quick (a second at most, a few milliseconds when it has been asked within the last minute)
and silent: whatever fails, the shell just offers nothing.
"""
