"""Tasks in processes of their own that end with the run, however it ends."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import TypeVar

from igoudar.core.errors import IgoudarError

Task = TypeVar("Task")


def spread(
    play: Callable[[Task, str], None], tasks: Sequence[Task], shared: str, count: int
) -> Iterator[Task]:
    """Play the tasks in `count` processes; each as it is done. An error or Ctrl-C leaves the rest undone.

    Raises:
        IgoudarError: a process was killed; what it had finished is kept.
    """
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_prepare)
    try:
        futures = {pool.submit(play, task, shared): task for task in tasks}
        for future in as_completed(futures):
            future.result()
            yield futures[future]
    except BrokenProcessPool as error:
        fix = "run the same command again, it goes on; with --workers 1 if memory is short"
        raise IgoudarError("a worker process was killed", where="lab", fix=fix) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare() -> None:
    """In a worker: Ctrl-C ends it without a word, and so does the end of the run."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = parent_process()
    if parent is not None:
        Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
