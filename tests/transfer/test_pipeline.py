"""Blocks pass through all stages in order, and what a stage raises comes out."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from hatcher.transfer.pipeline import Pipeline
from hatcher.transport.lanes import LANES

from .common import hashing_threads


def pass_through(pipeline: Pipeline, blocks: list[bytes]) -> None:
    for block in blocks:
        buffer = pipeline.take()
        buffer[: len(block)] = block
        pipeline.put(buffer, len(block))


BLOCKS = [bytes([number]) * (number + 1) for number in range(60)]


@pytest.mark.parametrize("threads", [True, False])
def test_every_stage_is_given_every_block_in_order(threads):
    stages: tuple[list[bytes], ...] = ([], [])
    actions = [lambda block, into=into: into.append(bytes(block)) for into in stages]
    pipeline = Pipeline(*actions, buffers=3, size=64, threads=threads)
    with pipeline:
        pass_through(pipeline, BLOCKS)
        pipeline.finish()
        assert stages == (BLOCKS, BLOCKS)
    assert not hashing_threads()


@pytest.mark.parametrize("threads", [True, False])
def test_what_a_stage_raises_comes_out_and_ends_no_wait(threads):
    def full(block: memoryview) -> None:
        raise OSError("the disk is full")

    pipeline = Pipeline(full, bytes, buffers=2, size=64, threads=threads)
    with pytest.raises(OSError, match="full"), pipeline:
        pass_through(pipeline, BLOCKS)
        pipeline.finish()
    assert not hashing_threads()


def test_few_have_threads_at_a_time():
    got: list[bytes] = []
    with ExitStack() as stack:
        for _ in range(LANES):
            pipeline = stack.enter_context(Pipeline(bytes, buffers=2, size=64))
            pass_through(pipeline, BLOCKS[:2])
        assert len(hashing_threads()) == LANES
        further = stack.enter_context(Pipeline(lambda b: got.append(bytes(b)), buffers=2, size=64))
        pass_through(further, BLOCKS[:2])
        assert got == BLOCKS[:2]  # at once: it was done in this thread
        assert len(hashing_threads()) == LANES
        further.finish()
    assert not hashing_threads()
    with Pipeline(bytes, buffers=2, size=64) as pipeline:
        pass_through(pipeline, BLOCKS[:2])
        assert len(hashing_threads()) == 1
