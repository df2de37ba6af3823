"""Threads that decode images and finish what the device has made."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def threads(count: int) -> Iterator[Executor]:
    """A pool of ``count`` threads; what has not begun when an error or Ctrl-C leaves the block never will."""
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
