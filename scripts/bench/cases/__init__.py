"""The cases, a module for each kind of work.

A module has ``COMPARISONS``, which both clients are measured with, or a function ``run(options)``
that returns a `scripts.bench.report.Table`.
"""
