"""Measurements of hatcher, each claim of speed or memory with its figures.

``python -m scripts.bench`` runs every case, ``python -m scripts.bench memory --size 200MB`` one.
A case is a module in `scripts.bench.cases` with a function ``run(options)`` that returns a
`scripts.bench.report.Table`.
"""
