"""What a person can do from a screen: stated consequence, their own token, a recorded reason."""

from dataclasses import dataclass

import streamlit as st

from igoudar.control.client import ApiClient
from igoudar.control.client_hands import HandsApi
from igoudar.core.errors import IgoudarError
from igoudar.core.said import told
from igoudar.core.terminal import printable
from igoudar.dashboard.charts.control_offer import VERBS as CONTROL
from igoudar.dashboard.charts.control_offer import Now, control_offer
from igoudar.dashboard.charts.hands import SITE
from igoudar.dashboard.charts.offer import Offer, alarm_offer, job_offer
from igoudar.dashboard.charts.waiting import waiting_jobs
from igoudar.dashboard.frame import words
from igoudar.dashboard.person import signed_in
from igoudar.dashboard.source import source
from igoudar.dashboard.words import Words

PENDING, SHOWN, DONE = "pending_act", "shown_offer", "acts_done"


@dataclass(frozen=True, slots=True)
class Act:
    """One action that waits for a person's confirmation: `verb` on what they picked."""

    verb: str
    targets: tuple[str, ...]


def remember(clicked: str | None) -> None:
    """Keep what was clicked and run the whole page: a dialog must not live in a block that ticks."""
    if clicked:
        verb, _, targets = clicked.partition(":")
        st.session_state[PENDING] = Act(verb, tuple(targets.split("\n")))
        st.session_state.pop(SHOWN, None)
        st.rerun(scope="app")


def acts_done() -> int:
    """How many actions this screen has carried out: rows picked for one are no longer picked after it."""
    return int(st.session_state.get(DONE, 0))


def ask_pending() -> None:
    """Open the dialog of what was clicked, once."""
    act = st.session_state.pop(PENDING, None)
    if act is not None:
        said = words()
        st.dialog(said(f"title_{act.verb}"))(_ask)(act, said)


def _ask(act: Act, said: Words) -> None:
    offer = _offer(act, said)
    st.html(f'<div class="ig-consequence">{offer.markup}</div>')
    with st.form("act", border=False, enter_to_submit=False):  # all at once: no key is lost to a rerun
        reason = st.text_input(said("reason"), max_chars=200)
        token = _token(said)
        left, right = st.columns(2)
        cancelled = left.form_submit_button(said("cancel"), width="stretch")
        confirmed = right.form_submit_button(
            said(f"verb_{act.verb}"), type="primary", width="stretch", disabled=not offer.targets
        )
    unchanged = _is_what_was_shown(offer)
    if cancelled:
        st.rerun()
    if confirmed:
        _confirm(act.verb, offer, token.strip(), reason.strip(), said, unchanged=unchanged)


def _token(said: Words) -> str:
    """The person's own: from the site's proxy, where it has signed them in, or typed."""
    person = signed_in()
    if person is not None and not person.problem:
        st.caption(said("acts_as", name=printable(person.name), role=person.role))
        return person.token
    if person is not None:
        st.warning(said("signed_out", why=person.problem))
    typed: str = st.text_input(said("your_token"), type="password", help=said("token_help"))
    return typed


def _is_what_was_shown(offer: Offer) -> bool:
    """Whether the plan and the jobs are still those the person read before they confirmed."""
    now = (offer.version, offer.targets)
    before = st.session_state.get(SHOWN, now)
    st.session_state[SHOWN] = now
    return bool(before == now)


def _confirm(verb: str, offer: Offer, token: str, reason: str, said: Words, *, unchanged: bool) -> None:
    if not offer.targets:
        st.error(said("gone"))
    elif not unchanged:  # the lines above are the new ones now
        st.warning(said("plan_renewed"))
    elif not token or not reason:
        st.error(said("needs_both"))
    elif _carry_out(verb, offer, token, reason, said):
        st.session_state[DONE] = acts_done() + 1
        st.rerun()


def _carry_out(verb: str, offer: Offer, token: str, reason: str, said: Words) -> bool:
    """One call per target, in order; the first refusal ends it and says how far it came."""
    done = 0
    try:
        with ApiClient(source().url, token) as client:
            for target in offer.targets:
                _call(client, verb, target, offer.version, reason)
                done += 1
    except IgoudarError as error:
        st.error(said("refused", why=told(error, said.lang)))
        if done:
            st.info(said("done_before", done=done, total=len(offer.targets)))
        return False
    return True


def _call(client: ApiClient, verb: str, target: str, version: str, reason: str) -> None:
    if verb in CONTROL:
        _control(client, verb, target, reason)
    elif verb == "ack":
        client.acknowledge(target, reason)
    elif verb == "approve":
        client.approve(target, version, reason)
    else:
        client.job_action(target, verb, reason)


def _control(client: ApiClient, verb: str, target: str, reason: str) -> None:
    hands = HandsApi(client)
    match verb:
        case "mode":
            name, _, mode = target.partition(" ")
            if name == SITE:
                client.set_mode(mode, reason)
            else:
                hands.set_class_mode(name, mode, reason)
        case "hands_off" | "hands_on":
            hands.set_hands_off(verb == "hands_off", reason)
        case "say_yes":
            hands.approve_proposal(target, reason)
        case "say_no":
            hands.decline_proposal(target, reason)
        case "let_go":
            device, _, point = target.rpartition(" ")
            hands.release_override(device, point, reason)
        case _:
            client.cancel_event(target, reason)


def _offer(act: Act, said: Words) -> Offer:
    if act.verb in CONTROL:
        api = source()
        now = Now(
            api.mode().document, api.proposals().document, api.overrides().document, api.events().document
        )
        return control_offer(act.verb, act.targets[0], now, said)
    if act.verb == "ack":
        return alarm_offer(act.targets[0], source().alarms().document, said)
    plan = source().plan().document
    waiting = waiting_jobs(plan, source().jobs().document)
    return job_offer(act.verb, act.targets, waiting, plan, said)
