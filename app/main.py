"""The `igoudar` command: one Typer application, put together here."""

import sys
from collections.abc import Sequence

import typer

from igoudar.core.errors import ConfigError, IgoudarError
from igoudar.core.i18n import choose_language
from igoudar.core.said import told

USAGE = 2
FAULT = 1


def build() -> typer.Typer:
    """The command line with every room's commands."""
    from igoudar.app import bill, keeping, parts_cli, site_cli, store_cli, trust_cli, up_cli
    from igoudar.collectors import cli as tools
    from igoudar.control import cli
    from igoudar.control.caps_agent import cli as cap_agent
    from igoudar.lab import cli as lab

    app = typer.Typer(no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False)
    for room in (
        up_cli,
        parts_cli,
        site_cli,
        cli,
        tools,
        trust_cli,
        keeping,
        store_cli,
        bill,
        cap_agent,
        lab,
    ):
        room.add_commands(app)
    return app


def main() -> None:
    """Run the command; an expected error becomes one clear line and an exit code, never a traceback."""
    try:
        build()()
    except ConfigError as error:
        sys.exit(_say(error, USAGE))
    except IgoudarError as error:
        sys.exit(_say(error, FAULT))
    except KeyboardInterrupt:
        sys.exit(130)


def _say(error: IgoudarError, code: int) -> int:
    words = told(error, choose_language(_asked_language(sys.argv)))
    print(f"igoudar: {words}", file=sys.stderr)  # noqa: T201 - the edge where errors become words
    return code


def _asked_language(words: Sequence[str]) -> str | None:
    """What `--lang` said, of any command."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "--lang" or word.startswith("--lang="):
            return word.partition("=")[2] or following
    return None


if __name__ == "__main__":
    main()
