"""One glance at everything."""

from igoudar.control.scene import Scene
from igoudar.control.schema import Status
from igoudar.control.views.alarms import unseen_counts
from igoudar.core.model import JobState


def status(scene: Scene) -> Status:
    """The numbers a person asks for first."""
    site, powers, picture = scene.roster.site, scene.powers, scene.picture
    listed = scene.queue.jobs if scene.queue else ()
    return Status(
        time=scene.now,
        zone=scene.zone,
        site=site.name,
        title=site.title,
        simulated=scene.simulated,
        speed=scene.roster.speed,
        mode=scene.mode.mode,
        devices=len(site.devices),
        devices_answering=scene.answering,
        points=scene.roster.points,
        first_good_at=scene.first_good_at,
        readings=picture.read_count,
        gaps=picture.gap_count,
        values=picture.points,
        it_w=powers.it_w,
        facility_w=powers.facility_w,
        renewable_w=powers.renewable_w,
        import_w=_positive(powers.grid_w),
        export_w=_positive(-powers.grid_w if powers.grid_w is not None else None),
        battery_w=powers.battery_w,
        soc_pct=scene.soc_pct,
        pue=scene.pue.value,
        renewable_share=scene.renewable_share.value,
        jobs_waiting=sum(job.state in (JobState.WAITING, JobState.HELD) for job in listed),
        jobs_running=sum(job.state is JobState.RUNNING for job in listed),
        alarms=unseen_counts(scene.alarms),
        parts=dict(scene.parts),
        notifications=scene.notifications,
    )


def _positive(power_w: float | None) -> float | None:
    return max(0.0, power_w) if power_w is not None else None
