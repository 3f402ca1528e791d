"""Errors in the words of the catalogue: English where they are raised, the reader's language at the edge.

The text of `code` says what happened, that of `code`_fix what to do next. A parameter named `..._code` is
itself a code of the catalogue, shown as the parameter without that ending; `detail` is added in brackets.
"""

from collections.abc import Mapping
from typing import TypeVar

from igoudar.core.errors import IgoudarError, Said
from igoudar.core.i18n import codes, render

E = TypeVar("E", bound=IgoudarError)
NESTED = "_code"


def said(kind: type[E], code: str, *, where: str = "", **params: object) -> E:
    """An error of a kind, with the words of `code`."""
    what, fix = _words(Said(code, params), "en")
    return known(kind(what, where=where, fix=fix), code, params)


def known(error: E, code: str, params: Mapping[str, object]) -> E:
    """An error that came from elsewhere, and by which code it is told."""
    error.said = Said(code, params) if code else None
    return error


def told(error: IgoudarError, lang: str) -> str:
    """What happened, to what, and what to do next; as it was raised where no catalogue has it."""
    if error.said is None or error.said.code not in codes("en"):
        return str(error)
    what, fix = _words(error.said, lang)
    return str(IgoudarError(what, where=error.where, fix=fix))


def _words(one: Said, lang: str) -> tuple[str, str]:
    shown = {**one.params, **_nested(one.params, lang)}
    detail, fix = one.params.get("detail"), f"{one.code}_fix"
    what = render(one.code, shown, lang) + (f" ({detail})" if detail else "")
    return what, render(fix, shown, lang) if fix in codes("en") else ""


def _nested(params: Mapping[str, object], lang: str) -> dict[str, str]:
    return {
        name.removesuffix(NESTED): render(str(code), {}, lang)
        for name, code in params.items()
        if name.endswith(NESTED)
    }
