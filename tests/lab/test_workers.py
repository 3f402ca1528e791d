"""Tasks are lines of Python here: `exec` is a function that every worker can find."""

import pytest

from igoudar.core.errors import ConfigError, IgoudarError
from igoudar.lab.workers import spread

FAILS = "from igoudar.core.errors import ConfigError; raise ConfigError('bad task', where='x')"
KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


def test_every_task_is_played():
    assert sorted(spread(exec, ["a = 1", "b = 2", "c = 3"], {}, 2)) == ["a = 1", "b = 2", "c = 3"]


def test_an_error_comes_through_and_leaves_the_rest_undone(tmp_path):
    writes = [f"open({str(tmp_path / str(number))!r}, 'w').close()" for number in range(20)]
    with pytest.raises(ConfigError):
        list(spread(exec, [FAILS, *writes], {}, 1))
    assert len(list(tmp_path.iterdir())) < 20


def test_a_killed_worker_is_one_clear_line():
    with pytest.raises(IgoudarError, match=r"lab: a worker process was killed\. run the same command again"):
        list(spread(exec, [KILLED], {}, 1))
