"""Measurements of hatcher beside the existing client: each claim of speed or memory has its figures.

``python -m scripts.bench`` measures everything and writes ``docs/benchmarks.md``;
``python -m scripts.bench download --rounds 3`` measures one case, and ``far`` stands for all that go
over a long link (`scripts.bench.servers.link`), most of them beside other programs. A case is one of
the `COMPARISONS` of a module in `scripts.bench.cases`, or such a module with a function
``run(options)`` that returns a `scripts.bench.report.Table`.

The clients run in environments of their own (`scripts.bench.environments`), as small programs
(``drivers``) that speak to servers in processes of their own (`scripts.bench.servers`).
"""
