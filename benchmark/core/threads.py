"""A pool of threads, which decodes images and locates boxes while the device works."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def threads(count: int) -> Iterator[Executor]:
    """Open a pool of ``count`` threads; leaving the block by an error or Ctrl-C cancels waiting work."""
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
