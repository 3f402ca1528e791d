"""What happens now, what next, what needs a person: said from state, never invented."""

from igoudar.control.alarms.states import AlarmState
from igoudar.control.dispatch import job_power_w
from igoudar.control.planning.requests import Verb
from igoudar.control.scene import Scene
from igoudar.control.schema import Sentence, Text
from igoudar.control.text import text
from igoudar.core.model import JobState


def sentences(scene: Scene) -> list[Sentence]:
    """One sentence per slot."""
    return [_now(scene), _next(scene), _needs_you(scene)]


def _now(scene: Scene) -> Sentence:
    if not scene.fresh:
        return _said("now", text("control.now_blind"), text("control.now_blind_text"))
    surplus_w = scene.powers.surplus_w
    if surplus_w is None:
        return _said("now", text("control.now_unknown"), _running(scene))
    code = "control.now_surplus" if surplus_w >= 0 else "control.now_deficit"
    return _said("now", text(code, power_w=abs(surplus_w)), _running(scene))


def _running(scene: Scene) -> Text:
    if scene.queue is None:
        return text("control.no_scheduler")
    running = [job for job in scene.queue.jobs if job.state is JobState.RUNNING and job.flexible]
    power_w = sum(job_power_w(job, scene.roster.site, scene.pue.value) for job in running)
    return text("control.now_running", count=len(running), power_w=power_w)


def _next(scene: Scene) -> Sentence:
    waits = [decision for decision in scene.decisions.values() if decision.verb is Verb.WAIT]
    if not waits:
        return _said("next", text("control.next_nothing"), text("control.next_nothing_text"))
    first = min(waits, key=lambda decision: decision.begin_at)
    jobs = {job.job_id: job for job in scene.queue.jobs} if scene.queue else {}
    job = jobs.get(first.job_id)
    deadlines = [jobs[d.job_id].deadline for d in waits if d.job_id in jobs]
    nearest = min((at for at in deadlines if at is not None), default=None)
    title = text("control.next_waiting", count=len(waits))
    name = job.name if job else first.job_id
    if nearest is None:
        body = text("control.next_begin", scene.zone, job=name, begin=first.begin_at)
    else:
        body = text("control.next_deadline", scene.zone, job=name, begin=first.begin_at, deadline=nearest)
    return Sentence(slot="next", span=(scene.now, first.begin_at), title=title, text=body)


def _needs_you(scene: Scene) -> Sentence:
    unseen = [
        alarm
        for alarm in scene.alarms
        if alarm.life.state in (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED)
    ]
    if unseen:
        worst = unseen[0]
        body = text(f"alarms.{worst.code}_action", scene.zone, **worst.params)
        return _said("needs_you", text("control.needs_alarms", count=len(unseen)), body)
    if scene.mode.mode == "advise" and scene.decisions:
        title = text("control.needs_advice", count=len(scene.decisions))
        return _said("needs_you", title, text("control.needs_advice_text"))
    if scene.mode.mode == "observe":
        return _said("needs_you", text("control.needs_observe"), text("control.needs_observe_text"))
    return _said("needs_you", text("control.needs_nothing"), text("control.needs_nothing_text"))


def _said(slot: str, title: Text, body: Text) -> Sentence:
    return Sentence.model_validate({"slot": slot, "title": title, "text": body})
