"""What a person can do from a screen: stated consequence, their own token, a recorded reason."""

from dataclasses import dataclass
from html import escape

import streamlit as st

from igoudar.control.client import ApiClient
from igoudar.control.schema import JobView
from igoudar.core.errors import IgoudarError
from igoudar.dashboard.charts.jobs import can_act
from igoudar.dashboard.frame import words
from igoudar.dashboard.source import source
from igoudar.dashboard.words import Words

PENDING = "pending_act"


@dataclass(frozen=True, slots=True)
class Act:
    """One action that waits for a person's confirmation: `verb` on `target`, as they saw it."""

    verb: str
    target: str


def remember(clicked: str | None) -> None:
    """Keep what was clicked and run the whole page: a dialog must not live in a block that ticks."""
    if clicked:
        verb, _, target = clicked.partition(":")
        st.session_state[PENDING] = Act(verb, target)
        st.rerun(scope="app")


def ask_pending() -> None:
    """Open the dialog of what was clicked, once."""
    act = st.session_state.pop(PENDING, None)
    if act is not None:
        said = words()
        st.dialog(said(f"title_{act.verb}"))(_ask)(act, said)


def _ask(act: Act, said: Words) -> None:
    consequence = _consequence(act, said)
    st.html(f'<div class="ig-consequence">{consequence or said.html("gone")}</div>')
    with st.form("act", border=False, enter_to_submit=False):  # all at once: no key is lost to a rerun
        reason = st.text_input(said("reason"), max_chars=200)
        token = st.text_input(said("your_token"), type="password", help=said("token_help"))
        left, right = st.columns(2)
        cancelled = left.form_submit_button(said("cancel"), width="stretch")
        confirmed = right.form_submit_button(
            said(f"verb_{act.verb}"), type="primary", width="stretch", disabled=not consequence
        )
    if cancelled:
        st.rerun()
    if confirmed:
        _confirm(act, token.strip(), reason.strip(), said)


def _confirm(act: Act, token: str, reason: str, said: Words) -> None:
    if not token or not reason:
        st.error(said("needs_both"))
        return
    if not _consequence(act, said):  # the world may have moved while the dialog was open
        st.error(said("gone"))
        return
    try:
        _carry_out(act, token, reason)
    except IgoudarError as error:
        st.error(said("refused", why=str(error)))
        return
    st.rerun()


def _carry_out(act: Act, token: str, reason: str) -> None:
    with ApiClient(source().url, token) as client:
        if act.verb == "ack":
            client.acknowledge(act.target, reason)
        else:
            client.job_action(act.target, act.verb, reason)


def _consequence(act: Act, said: Words) -> str:
    """What will happen, as HTML; empty when it can't happen any more."""
    if act.verb == "ack":
        return _alarm_consequence(act.target, said)
    answer = source().jobs().document
    job = next((job for job in answer.jobs if job.job_id == act.target), None) if answer else None
    return "" if job is None or can_act(job) != act.verb else _job_consequence(job, act.verb, said)


def _alarm_consequence(alarm_id: str, said: Words) -> str:
    answer = source().alarms().document
    alarm = next((a for a in answer.alarms if a.id == alarm_id), None) if answer else None
    if alarm is None:
        return ""
    what = f"<b>{escape(alarm.source)}</b> {escape(said.text(alarm.text))}"
    return f"<p>{what}</p><p>{said.html('ack_effect')}</p>"


def _job_consequence(job: JobView, verb: str, said: Words) -> str:
    energy = said.quantity(job.energy_wh, "wh")
    facts = said(
        "job_facts",
        gpus=job.gpus,
        energy=energy,
        slack=said.duration(job.slack_s),
        deadline=_deadline(job, said),
    )
    return (
        f"<p><code>{escape(job.job_id)}</code> <b>{escape(job.name)}</b></p>"
        f"<p>{escape(facts)}</p><p>{said.html(f'{verb}_effect')}</p>"
    )


def _deadline(job: JobView, said: Words) -> str:
    return said("no_deadline") if job.deadline is None else said.clock(job.deadline, "%d/%m %H:%M")
