"""The embedded Brood: a complete, small server of the description (extra `server`).

Start one with ``hatcher serve``, or in Python with
`hatcher.server.runner.BackgroundServer`.
"""
