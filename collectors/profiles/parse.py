"""Turn one profile document (TOML tables) into `core.model.Profile`, refusing what it does not know."""

from collections.abc import Callable, Mapping

from igoudar.collectors.profiles import writing
from igoudar.collectors.profiles.plausible import PLAUSIBLE
from igoudar.collectors.profiles.redfish import REDFISH_KEYS, redfish_address
from igoudar.collectors.profiles.tables import Table, known, need, one_of
from igoudar.collectors.registers import SUNSPEC_SENTINELS, WIDTHS
from igoudar.core.errors import ConfigError
from igoudar.core.model import (
    Kind,
    MetricAddress,
    ModbusAddress,
    ModbusRules,
    OpcUaAddress,
    Point,
    Profile,
    RedfishAddress,
)
from igoudar.core.strict_toml import nearest
from igoudar.core.units import unit_of

Address = ModbusAddress | OpcUaAddress | MetricAddress | RedfishAddress

PROTOCOLS = ("modbus", "opcua", "prometheus", "redfish")
VERIFIED = ("hardware", "vendor-map", "excerpt", "generic")
WORD_ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")
FOLDS = ("sum", "mean", "max", "min", "count")

TOP_KEYS = frozenset(
    (
        "profile",
        "kind",
        "protocol",
        "products",
        "source",
        "verified",
        "notes",
        "poll",
        "quality",
        "modbus",
        "opcua",
        "points",
        "control",
        "interlocks",
    )
)
QUALITY_KEYS = frozenset(("frozen_s", "witnesses", "clock"))
POLL_KEYS = frozenset(("period_s", "slow_period_s"))
DEFAULT_KEYS = frozenset(("function", "word_order", "sentinels"))
"""Keys of [modbus] that are defaults of its points, not rules of the product."""
RULE_KEYS = DEFAULT_KEYS | frozenset(ModbusRules.__dataclass_fields__)
LIMIT_KEYS = ("frozen_s", "max_step_per_s", "modulus")
COMMON_KEYS = frozenset(("counter", "plausible", "slow", "states", "writable", *LIMIT_KEYS))
MODBUS_KEYS = COMMON_KEYS | frozenset(
    (
        "register",
        "model",
        "offset",
        "type",
        "function",
        "scale",
        "offset_value",
        "sf",
        "word_order",
        "sentinel",
    )
)
OPCUA_KEYS = COMMON_KEYS | frozenset(("node", "scale", "offset_value"))
METRIC_KEYS = COMMON_KEYS | frozenset(("metric", "fold", "scale"))


def parse_profile(document: Table, where: str) -> Profile:
    """Build a profile from a parsed TOML document.

    Raises:
        ConfigError: names `where` (the file), the key and the nearest known key.
    """
    known(document, TOP_KEYS, where)
    protocol = one_of(document.get("protocol", "modbus"), PROTOCOLS, f"{where}: protocol")
    poll = document.get("poll", {})
    known(poll, POLL_KEYS, f"{where}: [poll]")
    rules_table = document.get("modbus", {})
    rules = _rules(rules_table, f"{where}: [modbus]")
    quality = document.get("quality", {})
    known(quality, QUALITY_KEYS, f"{where}: [quality]")
    opcua = document.get("opcua", {})
    known(opcua, frozenset(("namespace",)), f"{where}: [opcua]")
    points = {
        name: _point(name, table, protocol, rules_table, f"{where}: [points] {name}")
        for name, table in need(document, "points", where).items()
    }
    profile = Profile(
        name=str(need(document, "profile", where)),
        kind=Kind(one_of(need(document, "kind", where), [k.value for k in Kind], f"{where}: kind")),
        protocol=protocol,
        products=tuple(document.get("products", ())),
        source=str(need(document, "source", where)),
        verified=one_of(need(document, "verified", where), VERIFIED, f"{where}: verified"),
        points=points,
        period_s=float(poll.get("period_s", 5.0)),
        slow_period_s=float(poll.get("slow_period_s", 60.0)),
        modbus=rules,
        namespace=str(opcua.get("namespace", "")),
        frozen_s=float(quality.get("frozen_s", 0.0)),
        witnesses=tuple(quality.get("witnesses", ())),
        clock=str(quality.get("clock", "")),
        remote=writing.remote(document.get("control", {}), f"{where}: [control]"),
        interlocks=writing.interlocks(document.get("interlocks", ()), f"{where}: [[interlocks]]"),
    )
    _check(profile, where)
    return profile


def _rules(table: Table, where: str) -> ModbusRules:
    known(table, RULE_KEYS, where)
    one_of(table.get("sentinels", "none"), ("none", "sunspec"), f"{where} sentinels")
    one_of(table.get("word_order", "ABCD"), WORD_ORDERS, f"{where} word_order")
    fields = {k: v for k, v in table.items() if k not in DEFAULT_KEYS}
    for key in ("holes", "sunspec_models"):
        if key in fields:
            fields[key] = tuple((int(a), int(b)) for a, b in fields[key])
    rules = ModbusRules(**fields)
    if not 1 <= rules.max_registers <= 125:
        raise ConfigError("max_registers is outside 1..125", where=where, fix="Modbus allows 125 per read")
    return rules


def _point(name: str, table: Table, protocol: str, rules: Table, where: str) -> Point:
    try:
        unit = unit_of(name)
    except ConfigError as error:
        raise ConfigError(error.what, where=where, fix=error.fix) from error
    address = ADDRESSES[protocol](table, rules, where)
    plausible = table.get("plausible", PLAUSIBLE[unit])
    if not plausible[0] <= plausible[1]:
        raise ConfigError("plausible = [low, high] needs low <= high", where=where)
    return Point(
        name=name,
        address=address,
        counter=bool(table.get("counter", False)),
        plausible=(float(plausible[0]), float(plausible[1])),
        slow=bool(table.get("slow", False)),
        writable=writing.writable(table["writable"], f"{where} writable") if "writable" in table else None,
        states={int(number): str(word) for number, word in table.get("states", {}).items()},
        **{key: _limit(table[key], f"{where} {key}") for key in LIMIT_KEYS if key in table},
    )


def _limit(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ConfigError(f"{value!r} is not a positive number", where=where, fix="leave it out for no rule")
    return float(value)


def _modbus(table: Table, rules: Table, where: str) -> ModbusAddress:
    known(table, MODBUS_KEYS, where)
    kind = one_of(need(table, "type", where), WIDTHS, f"{where} type")
    model = int(table.get("model", 0))
    register = int(need(table, "offset" if model else "register", where))
    default = SUNSPEC_SENTINELS.get(kind, ()) if rules.get("sentinels") == "sunspec" else ()
    order = table.get("word_order", rules.get("word_order", "ABCD"))
    address = ModbusAddress(
        register=register,
        type=kind,
        model=model,
        function=int(table.get("function", rules.get("function", 3))),
        scale=float(table.get("scale", 1.0)),
        offset=float(table.get("offset_value", 0.0)),
        scale_factor=table.get("sf"),
        word_order=one_of(order, WORD_ORDERS, f"{where} word_order"),
        sentinels=tuple(table.get("sentinel", default)),
    )
    if not 0 <= register <= 65536 - WIDTHS[kind]:
        raise ConfigError(f"register {register} is outside 0..65535", where=where)
    if address.scale == 0:
        raise ConfigError("scale is 0", where=where, fix="leave it out for 1")
    if address.function not in (1, 2, 3, 4):
        fix = "use 3 or 4 for registers, 1 or 2 for bits"
        raise ConfigError(f"function {address.function} does not read", where=where, fix=fix)
    if address.function in (1, 2) and kind != "u16":
        raise ConfigError(
            f"function {address.function} reads single bits, not {kind}", where=where, fix='type = "u16"'
        )
    return address


def _opcua(table: Table, _rules: Table, where: str) -> OpcUaAddress:
    known(table, OPCUA_KEYS, where)
    scale, offset = float(table.get("scale", 1.0)), float(table.get("offset_value", 0.0))
    return OpcUaAddress(str(need(table, "node", where)), scale, offset)


def _metric(table: Table, _rules: Table, where: str) -> MetricAddress:
    known(table, METRIC_KEYS, where)
    fold = one_of(table.get("fold", "sum"), FOLDS, f"{where} fold")
    return MetricAddress(str(need(table, "metric", where)), fold, float(table.get("scale", 1.0)))


def _redfish(table: Table, _rules: Table, where: str) -> RedfishAddress:
    known(table, COMMON_KEYS | REDFISH_KEYS, where)
    return redfish_address(table, where)


ADDRESSES: Mapping[str, Callable[[Table, Table, str], Address]] = {
    "modbus": _modbus,
    "opcua": _opcua,
    "prometheus": _metric,
    "redfish": _redfish,
}


def _check(profile: Profile, where: str) -> None:
    """Refuse references to points or models that are not there."""
    models = dict(profile.modbus.sunspec_models)
    for name in (*profile.witnesses, *filter(None, (profile.clock,))):
        if name not in profile.points:
            raise ConfigError(
                f"{name!r} is not a point", where=f"{where}: [quality]", fix=nearest(name, profile.points)
            )
    writing.check_writing(profile, where)
    for point in profile.points.values():
        address = point.address
        if isinstance(address, ModbusAddress) and address.model:
            _inside_model(address, models, f"{where}: [points] {point.name}")


def _inside_model(address: ModbusAddress, models: Mapping[int, int], where: str) -> None:
    if address.model not in models:
        raise ConfigError(f"model {address.model} is not in sunspec_models", where=where, fix="list it there")
    end = models[address.model] + 2
    if address.register + WIDTHS[address.type] > end or (address.scale_factor or 0) >= end:
        raise ConfigError(f"model {address.model} ends at offset {end}", where=where, fix="check the offset")
