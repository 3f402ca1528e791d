"""Looking: status, KPIs, devices."""

from typing import TYPE_CHECKING, Annotated

import typer

from igoudar.control.cli import show
from igoudar.control.cli.options import (
    DEFAULT_SITE,
    JsonOption,
    LangOption,
    SiteOption,
    StateOption,
    api,
    language,
)
from igoudar.core.i18n import render

if TYPE_CHECKING:  # the documents bring pydantic along
    from igoudar.control.schema import DeviceView, KpiView, Status

POWERS = ("it_w", "facility_w", "renewable_w", "import_w", "export_w", "battery_w")


def status(
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """One glance at the site: powers, KPIs, jobs, alarms, parts."""
    with api(site, state) as client:
        found = client.status()
    if json:
        return show.document(found)
    return _status(found, language(lang))


def _status(found: "Status", lang: str) -> None:
    zone = found.zone
    rows = [("site", f"{show.safe(found.title)} ({show.safe(found.site)})")]
    rows += [("time", show.local(found.time, zone)), ("mode", found.mode)]
    rows += [("devices", f"{found.devices_answering} / {found.devices}"), ("points", str(found.points))]
    rows += [(name, show.quantity(name, getattr(found, name), lang)) for name in POWERS]
    rows += [("soc_pct", show.quantity("soc_pct", found.soc_pct, lang))]
    rows += [("pue", show.number(found.pue, 3, lang))]
    rows += [("renewable_share", _share(found.renewable_share, lang))]
    rows += [("jobs", render("cli.jobs_line", {"w": found.jobs_waiting, "r": found.jobs_running}, lang))]
    rows += [("alarms", "  ".join(f"P{p}: {n}" for p, n in sorted(found.alarms.items())))]
    rows += [("parts", "  ".join(f"{show.safe(p)} {show.safe(s)}" for p, s in found.parts.items()) or "-")]
    labelled = [(show.safe(render(f"cli.{name}", {}, lang)), value) for name, value in rows]
    show.table(("what", "value"), labelled, lang)


def kpi(
    window: Annotated[str, typer.Option("--window", help="15m, 1h, 24h, 7d or run.")] = "24h",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """KPIs over a window, with edition, category, boundary and coverage."""
    with api(site, state) as client:
        found = client.kpi(window)
        zone = client.status().zone
    if json:
        return show.document(found)
    speech = language(lang)
    heads = ("kpi", "value", "coverage", "edition", "boundary", "from", "to")
    return show.table(heads, [_kpi(view, zone, speech) for view in found.kpis], speech)


def _kpi(view: "KpiView", zone: str, lang: str) -> tuple[str, ...]:
    category = f" cat. {view.category}" if view.category is not None else ""
    share = view.name == "renewable_share"
    return (
        show.safe(render(f"cli.{view.name}", {}, lang)),
        _share(view.value, lang) if share else show.number(view.value, 3, lang),
        _share(view.coverage, lang),
        show.safe(view.edition + category) or "-",
        show.safe(view.boundary),
        show.local(view.start, zone),
        show.local(view.end, zone),
    )


def devices(
    name: Annotated[str | None, typer.Argument(help="One device, with its values.")] = None,
    bad: Annotated[bool, typer.Option("--bad", help="Only those that don't answer well.")] = False,
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Device health: quality, age, last gap; or one device's values."""
    speech = language(lang)
    with api(site, state) as client:
        if name is not None:
            return _device(client.device(name), json, speech)
        found = client.devices()
    shown = [device for device in found.devices if not bad or device.quality != "good"]
    if json:
        return show.document(found.model_copy(update={"devices": shown}))
    show.table(("device", "kind", "subject", "quality", "age", "gap"), [_row(d) for d in shown], speech)
    return show.say("devices_answer", speech, answering=found.answering, devices=len(found.devices))


def _device(found: "DeviceView", json: bool, lang: str) -> None:
    if json:
        return show.document(found)
    rows = [(show.safe(point), show.quantity(point, value, lang)) for point, value in found.values.items()]
    return show.table(("point", "value"), rows, lang, title=f"{found.name} ({found.quality})")


def _row(device: "DeviceView") -> tuple[str, ...]:
    age = "-" if device.age_s is None else f"{device.age_s:.0f} s"
    cells = (device.name, device.kind, device.subject, device.quality, age, device.gap or "")
    return tuple(show.safe(cell) for cell in cells)


def _share(value: float | None, lang: str) -> str:
    return "-" if value is None else show.number(100 * value, 1, lang) + " %"
