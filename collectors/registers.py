"""Register types: how wide they are, and which raw patterns mean "not implemented"."""

from collections.abc import Mapping

WIDTHS: Mapping[str, int] = {
    "u16": 1,
    "i16": 1,
    "enum16": 1,
    "bitfield16": 1,
    "u32": 2,
    "i32": 2,
    "acc32": 2,
    "bitfield32": 2,
    "f32": 2,
    "u64": 4,
    "i64": 4,
    "acc64": 4,
    "f64": 4,
}
"""Register types and their width [registers]."""

SUNSPEC_SENTINELS: Mapping[str, tuple[int, ...]] = {
    "u16": (0xFFFF,),
    "enum16": (0xFFFF,),
    "bitfield16": (0xFFFF,),
    "i16": (0x8000,),
    "u32": (0xFFFF_FFFF,),
    "bitfield32": (0xFFFF_FFFF,),
    "i32": (0x8000_0000,),
    "u64": (0xFFFF_FFFF_FFFF_FFFF,),
    "i64": (0x8000_0000_0000_0000,),
    "acc32": (0,),
    "acc64": (0,),
}
"""Raw patterns that mean "not implemented" (SunSpec Information Model Specification; NaN for floats)."""
