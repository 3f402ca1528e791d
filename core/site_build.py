"""A Site from its file's tables and its expanded things."""

from igoudar.core.control_tables.audit import auditing
from igoudar.core.control_tables.caps import capping
from igoudar.core.control_tables.dsx import dsx, webhook
from igoudar.core.control_tables.emergency import emergency
from igoudar.core.control_tables.guard import guarding
from igoudar.core.control_tables.people import listening, people
from igoudar.core.control_tables.plan import planning
from igoudar.core.control_tables.scheduler import scheduling
from igoudar.core.control_tables.writes import interlocks, write_rules
from igoudar.core.model import (
    AlarmRule,
    BatteryBank,
    CoolingPlant,
    FlexibleLoad,
    Grid,
    Prices,
    Site,
    SolarFarm,
    SpoolRules,
    WindFarm,
)
from igoudar.core.site_expand import Expanded
from igoudar.core.site_file import Battery, Cooling, Flexible, GridLimits, PriceTable, SiteFile, Solar, Wind
from igoudar.core.site_links import opcua_servers, redfish_login, tls_files
from igoudar.core.site_store import store_choice


def build_site(file: SiteFile, things: Expanded, alarms: tuple[AlarmRule, ...]) -> Site:
    """The model of a site; a table that the file leaves out is a plant that the site does not have."""
    return Site(
        name=file.name,
        title=file.title,
        latitude_deg=file.place.latitude_deg,
        longitude_deg=file.place.longitude_deg,
        altitude_m=file.place.altitude_m,
        time_zone=file.place.time_zone,
        halls=things.halls,
        racks=things.racks,
        feeds=things.feeds,
        devices=things.devices,
        solar=_solar(file.solar),
        wind=_wind(file.wind),
        battery=_battery(file.battery),
        cooling=_cooling(file.cooling),
        desalination=_flexible(file.desalination),
        electrolyser=_flexible(file.electrolyser),
        grid=_grid(file.grid),
        prices=_prices(file.prices),
        urgent_share=file.urgent_share,
        alarms=alarms,
        store=store_choice(file),
        opcua=opcua_servers(file),
        tls=tls_files(file),
        redfish=redfish_login(file),
        network=file.links.network,
        caps=capping(file.caps),
        guard=guarding(file.guard),
        emergency=emergency(file.emergency),
        plan=planning(file.plan),
        dsx=dsx(file.dsx),
        webhook=webhook(file.webhook),
        writes=write_rules(file.writes),
        interlocks=interlocks(file.interlocks),
        audit=auditing(file.audit, file.records),
        api=listening(file.api),
        people=people(file.people),
        scheduler=scheduling(file.scheduler),
        spool=SpoolRules(round(file.store.spool_gb * 1e9), file.store.spool_hours, file.store.window_s),
        sources=(*file.sources, *(f"{key}: {table.source}" for key, table in file.sourced() if table.source)),
    )


def _solar(table: Solar | None) -> SolarFarm:
    if table is None:
        return SolarFarm()
    return SolarFarm(
        ac_w=table.ac,
        inverter_w=table.inverter,
        dc_ratio=table.dc_ratio,
        tilt_deg=table.tilt_deg,
        azimuth_deg=table.azimuth_deg,
        soiling_per_day=table.soiling_per_day,
    )


def _wind(table: Wind | None) -> WindFarm:
    return WindFarm(table.turbines, table.turbine, table.derating) if table else WindFarm()


def _battery(table: Battery | None) -> BatteryBank:
    if table is None:
        return BatteryBank()
    return BatteryBank(table.energy, table.power, table.efficiency, table.soc_min_pct, table.soc_max_pct)


def _cooling(table: Cooling | None) -> CoolingPlant:
    if table is None:
        return CoolingPlant()
    return CoolingPlant(
        liquid_share=table.liquid_share,
        supply_c=table.supply_c,
        racks_per_cdu=table.racks_per_cdu,
        dry_cooler_w=table.dry_cooler,
        dry_coolers=table.dry_coolers,
        chillers=table.chillers,
        chiller_w=table.chiller,
        inlet_limit_c=table.inlet_limit_c,
    )


def _flexible(table: Flexible | None) -> FlexibleLoad:
    return FlexibleLoad(table.power, table.daily) if table else FlexibleLoad()


def _grid(table: GridLimits | None) -> Grid:
    return Grid(table.import_limit, table.export_limit, table.carbon_g_per_kwh) if table else Grid()


def _prices(table: PriceTable | None) -> Prices:
    return Prices(table.import_mwh, table.export_mwh, table.peak_mw_week) if table else Prices()
