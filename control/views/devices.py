"""Device health."""

from igoudar.control.errors import UnknownNameError
from igoudar.control.scene import Scene
from igoudar.control.schema import Devices, DeviceView, QualityWord
from igoudar.core.model import Device, Quality, Reading
from igoudar.core.said import said


def devices(scene: Scene) -> Devices:
    """All devices without their values: a list of thousands stays light."""
    return Devices(
        time=scene.now,
        answering=scene.answering,
        devices=[_view(scene, device, values=False) for device in scene.roster.site.devices],
    )


def device_view(scene: Scene, name: str) -> DeviceView:
    """One device with its latest values.

    Raises:
        UnknownNameError: when the site has no such device.
    """
    device = scene.roster.devices.get(name)
    if device is None:
        raise said(UnknownNameError, "refusal.no_device", where=name)
    return _view(scene, device, values=True)


def _view(scene: Scene, device: Device, values: bool) -> DeviceView:
    reading = scene.picture.readings.get(device.name)
    gap = reading.gap if reading else None
    return DeviceView(
        name=device.name,
        kind=device.kind.value,
        profile=device.profile,
        hall=device.hall,
        subject=device.subject,
        address=device.address,
        quality=_quality(scene, device),
        last_at=scene.picture.last_good.get(device.name),
        age_s=scene.picture.age_s(device.name),
        source_at=reading.source_at if reading else None,
        source_offset_s=_offset_s(reading),
        gap=f"{gap.reason.name.lower()}: {gap.detail}".removesuffix(": ") if gap else None,
        values=_values(scene, device) if values else {},
    )


def _offset_s(reading: Reading | None) -> float | None:
    if reading is None or reading.source_at is None:
        return None
    return (reading.source_at - reading.at).total_seconds()


def _values(scene: Scene, device: Device) -> dict[str, float | None]:
    profile = scene.roster.profiles.get(device.profile)
    return {point: scene.picture.value(device.name, point) for point in (profile.points if profile else ())}


def _quality(scene: Scene, device: Device) -> QualityWord:
    if scene.silent(device.name):
        return "stale"
    reading = scene.picture.readings.get(device.name)
    if reading is None or reading.gap:
        return "bad"
    worst = max((quality for quality, _ in reading.flags.values()), default=Quality.GOOD)
    return "uncertain" if worst is Quality.UNCERTAIN else "good"
