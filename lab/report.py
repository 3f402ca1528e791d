"""`report.html`: a run on one page that needs nothing else, no script, no font, no request."""

import json
from collections.abc import Mapping
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

import polars as pl

from igoudar.core.i18n import render
from igoudar.core.units import format_number
from igoudar.lab.strips import Scale, bars, scale_of, strip
from igoudar.lab.words import cells, heads, slack_lines

LEGEND = ("solar", "wind", "urgent", "load", "import", "charge")
OPEN = ("rolling", "greedy")  # the first of these in a run is shown unfolded
HOURS = 0.25


def write_report(out: Path, lang: str) -> Path:
    """Write the page of a finished run into its folder; the file."""
    settings = json.loads((out / "settings.json").read_text())
    policies = json.loads((out / "summary.json").read_text())["policies"]
    tables = {name: pl.read_parquet(out / name / "site.parquet") for name in policies}
    page = out / "report.html"
    part = page.with_name(page.name + ".part")
    part.write_text(_page(settings, policies, tables, lang), encoding="utf-8")
    part.replace(page)
    return page


def _page(
    settings: Mapping[str, Any],
    policies: Mapping[str, Mapping[str, Any]],
    tables: Mapping[str, pl.DataFrame],
    lang: str,
) -> str:
    scenario = settings["scenario"]
    title = escape(render("lab.report_title", {"site": scenario["site"]}, lang))
    style = resources.files("igoudar.lab").joinpath("report.css").read_text(encoding="utf-8")
    body = [
        f"<h1>{title}</h1><p>{escape(_intro(settings, lang))}</p>",
        _section("report_policies", _table(policies, lang), lang),
        _section("slacks", _slacks(policies, lang), lang),
        _section("report_cost", _cost(policies, lang), lang),
        _section("report_weeks", _weeks(settings, tables, lang), lang),
        _section("report_settings", _settings(settings), lang),
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    return (
        f'<!doctype html><html lang="{lang}"><head>{head}<title>{title}</title><style>{style}</style></head>'
        f"<body>{''.join(body)}</body></html>\n"
    )


def _section(code: str, content: str, lang: str) -> str:
    return f"<h2>{escape(render(f'lab.{code}', {}, lang))}</h2>{content}" if content else ""


def _intro(settings: Mapping[str, Any], lang: str) -> str:
    scenario, periods = settings["scenario"], settings["periods"]
    told = {
        "days": scenario["days"],
        "periods": len(periods),
        "weeks": _short(sum(period["weight"] * period["steps"] / 672 for period in periods), lang),
        "import_mw": _short(scenario["import_limit_mw"], lang),
        "peak_price": _short(scenario["peak_price_per_mw_week"], lang),
        **{k: _short(scenario[k], lang) for k in ("pv_mw", "wind_mw", "battery_mwh", "battery_mw", "price")},
    }
    return render("lab.report_intro", told, lang)


def _short(value: float, lang: str) -> str:
    return format_number(value, lang, 0 if float(value).is_integer() else 1)


def _table(policies: Mapping[str, Mapping[str, Any]], lang: str) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads(lang))
    rows = []
    for name, figures in policies.items():
        first, *rest = (escape(cell) for cell in cells(name, figures, lang))
        rows.append(f"<tr><th>{first}</th>{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>")
    marked = any(figures.get("comparable") is False for figures in policies.values())
    note = f"<p>{escape(render('lab.not_comparable', {}, lang))}</p>" if marked else ""
    return f"<div class='scroll'><table><tr>{head}</tr>{''.join(rows)}</table></div>{note}"


def _slacks(policies: Mapping[str, Mapping[str, Any]], lang: str) -> str:
    return "".join(f"<p class='gave'>{escape(line)}</p>" for line in slack_lines(policies, lang))


def _cost(policies: Mapping[str, Mapping[str, Any]], lang: str) -> str:
    base = policies.get("run-now", {}).get("cost")
    if not base:
        return ""
    return bars(
        [(n, f["cost"], f"{format_number(100 * f['cost'] / base, lang)} %") for n, f in policies.items()]
    )


def _weeks(settings: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], lang: str) -> str:
    scale = scale_of(list(tables.values()), settings["scenario"]["battery_mwh"] * 1e6)
    opened = next((name for name in OPEN if name in tables), next(iter(tables), ""))
    legend = "".join(
        f"<span class='l-{name}'></span>{escape(render(f'lab.legend_{name}', {}, lang))}" for name in LEGEND
    )
    parts = [
        f"<p>{escape(render('lab.report_how', _heights(scale), lang))}</p><p class='legend'>{legend}</p>"
    ]
    for name, table in tables.items():
        drawn = _strips(name, table, settings["periods"], scale, lang)
        unfolded = " open" if name == opened else ""
        parts.append(f"<details{unfolded}><summary>{escape(name)}</summary>{drawn}</details>")
    return "".join(parts)


def _heights(scale: Scale) -> dict[str, float]:
    return {"above_w": scale.above_w, "below_w": scale.below_w}


def _strips(name: str, table: pl.DataFrame, periods: list[dict[str, Any]], scale: Scale, lang: str) -> str:
    drawn, begin = [], 0
    for number, period in enumerate(periods):
        part = table.slice(begin, period["steps"])
        begin += period["steps"]
        told = {"number": number, "weight": _short(period["weight"], lang)}
        head = escape(render("lab.report_period", told, lang))
        drawn.append(f"<h3>{head}</h3>{strip(part, scale, _in_words(name, number, part, lang))}")
    return "".join(drawn)


def _in_words(name: str, number: int, part: pl.DataFrame, lang: str) -> str:
    import_mwh = float(part["import_w"].sum()) * HOURS / 1e6
    loads = ("urgent_w", "flexible_w", "cooling_w", "desalination_w", "electrolyser_w")
    load_mwh = float(part.select(pl.sum_horizontal(loads)).to_series().sum()) * HOURS / 1e6
    told = {
        "policy": name,
        "number": number,
        "renewable": format_number(100 * (1 - import_mwh / load_mwh) if load_mwh else 0.0, lang),
        "import_mwh": format_number(import_mwh, lang, 0),
        "peak_mw": format_number(float(str(part["import_w"].max())) / 1e6, lang),
    }
    return render("lab.report_strip", told, lang)


def _settings(settings: Mapping[str, Any]) -> str:
    shown = {**settings["scenario"], **settings["versions"]}
    rows = [f"<tr><th>{escape(key)}</th><td>{escape(str(value))}</td></tr>" for key, value in shown.items()]
    return f"<details><summary>settings.json</summary><table>{''.join(rows)}</table></details>"
