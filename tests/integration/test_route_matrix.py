"""Every route, asked by everybody: what each of them gets, that looking writes nothing, and that a refusal does not either."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from okrgate import clock
from okrgate.accounts.models import Person, RoleGrant, SignInSession
from okrgate.approvals.models import Condition, Receipt, Round, SignoffRow
from okrgate.comments.models import Comment
from okrgate.database import db, transaction
from okrgate.delivery.models import Statement
from okrgate.imports.models import ImportFile
from okrgate.measurement.models import Target
from okrgate.meetings.models import CALLED, Meeting, MeetingPerson
from okrgate.metrics.models import Metric, Observation
from okrgate.notifications.models import DEAD, INBOX, MAIL, OutboxRow
from okrgate.okrs.models import KeyResult, Objective
from okrgate.projects.models import SectionState
from okrgate.rulebooks import beginnings
from okrgate.rulebooks.models import RulebookVersion
from okrgate.stages import settling
from okrgate.stages.view_models import SavedView
from okrgate.web.permissions import NoPolicy, policy_of, requires
from okrgate.workshop.publishing.models import Proposal
from tests.dumps import differences, dump
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company
from tests.integration.journey.stops import Stops

# Sue submitted, Lea leads, Rex reviewed, Mia signs, Ada administers, Aud audits; Pat has no part; Gil left.
READERS = ("nobody", "Gil", "Pat", "Sue", "Lea", "Rex", "Mia", "Ada", "Aud")
OUT = {"nobody", "Gil"}


@dataclass(frozen=True)
class Row:
    """One route: an address that exists, what each reader gets, and what a form would send there."""

    path: str
    default: int
    others: dict[str, int] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    stop: str = "in approval"
    outside: int = 0

    def expected(self, method: str, reader: str) -> int:
        """Return the status this reader gets."""
        if reader in OUT:
            return self.outside or (303 if method == "GET" else 401)
        return self.others.get(reader, self.default)


def signed_in(path: str, status: int = 200, **others: object) -> Row:
    """Everybody who is signed in gets this, but for those named."""
    data = others.pop("data", {})
    stop = str(others.pop("stop", "in approval"))
    return Row(path, status, others, data, stop)  # type: ignore[arg-type]


def anyone(path: str, status: int = 200, data: dict[str, str] | None = None) -> Row:
    """Everybody gets this, signed in or not."""
    return Row(path, status, data=data or {}, outside=status)


def admins(path: str, status: int = 200, **data: str) -> Row:
    """Only Ada gets this."""
    return Row(path, 403, {"Ada": status}, data)


def auditors(path: str, status: int = 200) -> Row:
    """Only Ada and Aud get this."""
    return Row(path, 403, {"Ada": status, "Aud": status})


_APPROVE = {"decision": "approved", "digest": "{digest}", "key": "a key"}
_BACK = {"version": "{version}", "key": "a key", "reason": "Look at it again."}
_RESULT = {"name": "Churn to 3", "baseline": "5", "target": "3", "measure": "%"}
_OWNERS = {"Ada": 200}

_INVITED = {"Mia": 200, "Rex": 200, "Ada": 200, "Aud": 200}
_LEADS = {"Mia": 200, "Ada": 200, "Rex": 403, "Aud": 403}
_VAIN = {"Mia": 422, "Ada": 422}
_DONE = {"Mia": 303, "Ada": 303}
_CALLS = {"Mia": 200, "Rex": 200, "Ada": 200}
_CALLS_IN_VAIN = {"Mia": 422, "Rex": 422, "Ada": 422}

TABLE: dict[str, Row] = {
    "GET stages.my_work": signed_in("/"),
    "GET stages.list_projects": signed_in("/projects"),
    "POST stages.export_projects": signed_in("/projects/export"),
    "GET stages.show_board": signed_in("/projects/board"),
    "GET stages.list_views": signed_in("/projects/views"),
    "GET stages.save_view": signed_in("/projects/views/new"),
    "POST stages.save_view": signed_in("/projects/views/new", 303, data={"name": "Late ones"}),
    "GET stages.change_view": signed_in("/projects/views/{view}", 404, Lea=200),
    "POST stages.change_view": signed_in(
        "/projects/views/{view}", 404, Lea=303, data={"name": "Mine, renamed"}
    ),
    "POST stages.delete_view": signed_in("/projects/views/{view}/delete", 404, Lea=303),
    "GET stages.start": signed_in("/projects/new"),
    "POST stages.start": signed_in(
        "/projects/new",
        303,
        data={"title": "Another", "home_unit": "{unit}", "rulebook": "{rules}"},
    ),
    "GET stages.show_project": signed_in("/projects/{reference}"),
    "GET stages.show_section": signed_in("/projects/{reference}/parts/scope"),
    "GET stages.edit_page": signed_in(
        "/projects/{reference}/parts/scope/people", 403, Lea=200, stop="planned"
    ),
    "POST stages.edit_page": signed_in(
        "/projects/{reference}/parts/scope/people",
        403,
        Lea=303,
        stop="planned",
        data={"base_version": "{scope}", "people": "4"},
    ),
    "GET stages.check": signed_in("/projects/{reference}/check"),
    "GET stages.show_moved": signed_in("/projects/{reference}/moved"),
    "POST stages.keep_draft": signed_in(
        "/projects/{reference}/parts/scope/people/draft",
        403,
        Lea=200,
        stop="planned",
        data={"base_version": "{scope}", "people": "4"},
    ),
    "GET comments.list_comments": signed_in("/projects/{reference}/comments"),
    "POST comments.add": signed_in(
        "/projects/{reference}/comments", 303, data={"key": "a key {day}", "text": "Why now?"}
    ),
    "POST comments.follow": signed_in("/projects/{reference}/follow", 303),
    "POST comments.unfollow": signed_in("/projects/{reference}/unfollow", 303),
    "POST comments.mark_seen": signed_in("/seen", 303),
    "GET comments.edit": signed_in("/comments/{comment}/edit", 403, Pat=200),
    "POST comments.edit": signed_in(
        "/comments/{comment}/edit", 403, Pat=303, data={"text": "Why not next year?"}
    ),
    "POST comments.withdraw": signed_in("/comments/{comment}/withdraw", 403, Pat=303),
    "GET stages.move": signed_in("/projects/{reference}/moves/return_plan"),
    "POST stages.move": signed_in(
        "/projects/{reference}/moves/return_plan", 403, Mia=303, data=_BACK
    ),
    "GET stages.show_people": signed_in("/projects/{reference}/people"),
    "POST stages.hand_over": signed_in(
        "/projects/{reference}/people/lead",
        403,
        Lea=303,
        Rex=303,
        Ada=303,
        data={
            "lead-to": "{person}",
            "lead-note": "All is in the folder",
            "lead-version": "{version}",
        },
    ),
    "POST stages.choose_co_editors": signed_in(
        "/projects/{reference}/co-editors",
        403,
        Sue=303,
        Ada=303,
        data={"co_editor": "{person}"},
    ),
    "GET stages.list_changes": signed_in("/projects/{reference}/changes"),
    "GET stages.ask_change": signed_in(
        "/projects/{reference}/changes/new/scope/people", 403, Lea=200, stop="at the kick-off"
    ),
    "POST stages.ask_change": signed_in(
        "/projects/{reference}/changes/new/scope/people",
        403,
        Lea=303,
        stop="at the kick-off",
        data={"people": "5", "why": "Two more", "effect": "Faster", "key": "a key"},
    ),
    "GET stages.show_change": signed_in("/projects/{reference}/changes/1", 404),
    "POST stages.show_change": signed_in("/projects/{reference}/changes/1", 404),
    "GET stages.decide": signed_in(
        "/approvals/{round}", 404, Sue=200, Lea=200, Rex=200, Mia=200, Aud=200
    ),
    "POST stages.decide": signed_in(
        "/approvals/{round}", 404, Sue=403, Lea=403, Rex=403, Mia=303, Aud=403, data=_APPROVE
    ),
    "GET stages.decide_together": signed_in("/approvals/together?round={round}"),
    "POST stages.record_together": signed_in("/approvals/together", 422),
    "GET stages.withdraw_signoff": signed_in("/signoffs/{signoff}/withdraw", 404, Rex=200),
    "POST stages.withdraw_signoff": signed_in("/signoffs/{signoff}/withdraw", 404, Rex=409),
    # Mia called a meeting and chairs it; Rex is invited.
    "GET meetings.list_meetings": signed_in("/meetings"),
    "GET meetings.plan_meeting": signed_in("/meetings/new", 403, **_CALLS),
    "POST meetings.plan_meeting": signed_in("/meetings/new", 403, **_CALLS_IN_VAIN),
    "GET meetings.show_meeting": signed_in("/meetings/{meeting}", 404, **_INVITED),
    "GET meetings.show_live": signed_in("/meetings/{meeting}/live", 404, **_INVITED),
    "GET meetings.meeting_calendar": signed_in("/meetings/{meeting}/meeting.ics", 404, **_INVITED),
    "GET meetings.edit_meeting": signed_in("/meetings/{meeting}/edit", 404, **_LEADS),
    "POST meetings.edit_meeting": signed_in("/meetings/{meeting}/edit", 404, **_LEADS | _VAIN),
    "GET meetings.show_agenda": signed_in("/meetings/{meeting}/agenda", 404, **_LEADS),
    "POST meetings.change_agenda": signed_in(
        "/meetings/{meeting}/agenda", 404, data={"act": "add:{round}"}, **_LEADS | _DONE
    ),
    "POST meetings.invite_signers": signed_in("/meetings/{meeting}/signers", 404, **_LEADS | _DONE),
    "POST meetings.call_meeting": signed_in(
        "/meetings/{meeting}/call", 404, **_LEADS | {"Mia": 409, "Ada": 409}
    ),
    "GET meetings.cancel_meeting": signed_in("/meetings/{meeting}/cancel", 404, **_LEADS),
    "POST meetings.cancel_meeting": signed_in("/meetings/{meeting}/cancel", 404, **_LEADS | _VAIN),
    "POST meetings.begin_meeting": signed_in("/meetings/{meeting}/begin", 404, **_LEADS | _VAIN),
    "POST meetings.step": signed_in("/meetings/{meeting}/step", 422),
    "POST meetings.note_presence": signed_in(
        "/meetings/{meeting}/here", 404, Mia=409, Rex=409, Ada=409, Aud=409
    ),
    "GET meetings.write_notes": signed_in(
        "/meetings/{meeting}/items/1/notes", 404, Rex=403, Aud=403
    ),
    "POST meetings.write_notes": signed_in(
        "/meetings/{meeting}/items/1/notes", 404, Rex=403, Aud=403
    ),
    "GET meetings.end_meeting": signed_in("/meetings/{meeting}/end", 404, **_LEADS),
    "POST meetings.end_meeting": signed_in(
        "/meetings/{meeting}/end", 404, **_LEADS | {"Mia": 409, "Ada": 409}
    ),
    "GET stages.waive": signed_in(
        "/projects/{reference}/waivers/metrics-confirmed", stop="planned"
    ),
    "POST stages.waive": signed_in(
        "/projects/{reference}/waivers/metrics-confirmed",
        403,
        Mia=303,
        stop="planned",
        data={"reason": "The weekly report shows it already."},
    ),
    "GET stages.show_panel": signed_in("/projects/{reference}/panel"),
    "GET stages.pulse": signed_in("/pulse?of={reference}"),
    "GET stages.show_similar": signed_in("/projects/similar?title=Renewals"),
    "POST stages.nudge": signed_in(
        "/projects/{reference}/nudges/metrics-confirmed",
        403,
        stop="planned",
        Sue=303,
        Rex=303,
        data={"person": "{steward}"},
    ),
    "GET stages.ask_waiver": signed_in(
        "/projects/{reference}/waivers/metrics-confirmed/ask", stop="planned", Mia=303
    ),
    "POST stages.ask_waiver": signed_in(
        "/projects/{reference}/waivers/metrics-confirmed/ask",
        403,
        Sue=303,
        Lea=303,
        Mia=303,
        stop="planned",
        data={"reason": "The weekly report shows it already."},
    ),
    "POST stages.refuse_waiver": signed_in(
        "/projects/{reference}/waivers/metrics-confirmed/refuse",
        403,
        Mia=409,
        stop="planned",
        data={"reason": "It has to be confirmed first."},
    ),
    "GET approvals.queue": signed_in("/approvals"),
    "GET approvals.decided": signed_in("/decisions"),
    "GET standing_in.mine": signed_in("/standing-in"),
    "POST standing_in.mine": signed_in("/standing-in", 422),
    "GET standing_in.of_person": signed_in("/people/{person}/standing-in", 403, Ada=200, Pat=200),
    "POST standing_in.of_person": signed_in("/people/{person}/standing-in", 403, Ada=422, Pat=422),
    "POST standing_in.end": signed_in("/standing-in/1/end", 404),
    "POST standing_in.choose_assistants": signed_in("/standing-in/assistants", 422),
    "GET approvals.show_receipt": signed_in(
        "/receipts/{receipt}", 404, Sue=200, Lea=200, Rex=200, Mia=200, Aud=200
    ),
    "GET approvals.receipt_paper": signed_in(
        "/receipts/{receipt}.pdf", 404, Sue=200, Lea=200, Rex=200, Mia=200, Aud=200
    ),
    "GET approvals.list_receipts": signed_in(
        "/projects/{reference}/receipts", 404, Sue=200, Lea=200, Rex=200, Mia=200, Aud=200
    ),
    "GET approvals.close_condition": signed_in("/conditions/{condition}"),
    "POST approvals.close_condition": signed_in(
        "/conditions/{condition}", 403, Lea=303, data={"evidence": "It is reported."}
    ),
    "GET accounts.my_account": signed_in("/account"),
    "POST accounts.change_details": signed_in(
        "/account", 303, data={"name": "New Name", "timezone": "Europe/Berlin"}
    ),
    "GET accounts.email": signed_in("/account/email"),
    "POST accounts.change_email": signed_in("/account/email", 422),
    "POST accounts.export": signed_in("/account/export"),
    "GET accounts.password": signed_in("/account/password"),
    "POST accounts.change_password": signed_in("/account/password", 422),
    "POST accounts.end_session": signed_in("/account/sessions/{session}/end", 303),
    "POST accounts.end_other_sessions": signed_in("/account/sessions/end-others", 303),
    "GET factors.show": signed_in("/account/second-factor"),
    "GET factors.confirm": signed_in("/account/second-factor/confirm"),
    "POST factors.confirm": signed_in("/account/second-factor/confirm", 422),
    "GET factors.add_app": signed_in("/account/second-factor/app", 303),
    "POST factors.add_app": signed_in("/account/second-factor/app", 303),
    "GET factors.add_passkey": signed_in("/account/second-factor/passkey", 303),
    "POST factors.add_passkey": signed_in("/account/second-factor/passkey", 303),
    "POST factors.new_codes": signed_in("/account/second-factor/codes", 303),
    "POST factors.remove": signed_in("/account/second-factor/1/remove", 303),
    "GET factors.reset": admins("/admin/people/{person}/second-factor"),
    "POST factors.reset": admins("/admin/people/{person}/second-factor", 409),
    "GET accounts.link": anyone("/accounts/link/unknown", 404),
    "POST accounts.use_link": anyone("/accounts/link/unknown", 404),
    "GET accounts.sign_in": Row("/sign-in", 303, outside=200),
    "POST accounts.enter": anyone("/sign-in", 422),
    "POST accounts.sign_out": anyone("/sign-out", 303),
    "GET accounts.forgotten": anyone("/forgotten"),
    "POST accounts.ask_reset": anyone("/forgotten", data={"email": "nobody@example.com"}),
    "GET accounts.admin_people": admins("/admin/people"),
    "GET accounts.admin_person": admins("/admin/people/{person}"),
    "POST accounts.change_person": admins("/admin/people/{person}", 303, name="Patricia"),
    "POST accounts.activate": admins("/admin/people/{gone}/activate", 303),
    "GET administration.leave": admins("/admin/people/{person}/leave"),
    "POST administration.leave": admins("/admin/people/{person}/leave", 303),
    "POST accounts.deactivate": admins("/admin/people/{person}/deactivate", 303),
    "POST accounts.end_sessions": admins("/admin/people/{person}/end-sessions", 303),
    "POST accounts.erase": admins("/admin/people/{gone}/erase", 303, sure="yes"),
    "POST accounts.invite_again": admins("/admin/people/{person}/invite-again", 303),
    "POST accounts.set_rights": admins("/admin/people/{person}/rights", 303, is_auditor="y"),
    "POST accounts.grant_role": admins("/admin/people/{person}/roles", 422),
    "POST accounts.revoke_role": admins("/admin/people/{rex}/roles/{grant}/revoke", 303),
    "GET accounts.admin_invite": admins("/admin/people/invite"),
    "POST accounts.invite": admins(
        "/admin/people/invite", 303, name="Nell", email="nell@example.com", unit_id="{unit}"
    ),
    "GET accounts.admin_units": admins("/admin/units"),
    "GET accounts.admin_unit": admins("/admin/units/{unit}"),
    "POST accounts.change_unit": admins(
        "/admin/units/{unit}", 303, name="Acme Group", kind="company"
    ),
    "GET portfolio.show_overview": signed_in("/overview"),
    "POST accounts.move_unit": admins("/admin/units/{unit}/move", 422),
    "POST accounts.set_unit_active": admins("/admin/units/{unit}/active", 303, active="yes"),
    "GET accounts.unit_days": admins("/admin/units/{unit}/days"),
    "POST accounts.keep_holidays": admins("/admin/units/{unit}/days", 422, country="nowhere"),
    "POST accounts.close_days": admins("/admin/units/{unit}/days/closed", 422),
    "POST accounts.reopen_days": admins("/admin/units/{unit}/days/closed/1/remove", 404),
    "GET accounts.new_unit": admins("/admin/units/new"),
    "POST accounts.create_unit": admins("/admin/units/new", 422),
    "GET audit.list_entries": auditors("/audit"),
    "POST audit.export": auditors("/audit/export"),
    "POST evidence.export_record": auditors("/audit/proof"),
    "GET evidence.list_checkpoints": auditors("/audit/checkpoints"),
    "GET rulebooks.show_rules": signed_in("/rules"),
    "GET rulebooks.show_version": signed_in("/rules/{rules}"),
    "GET rulebooks.download": signed_in("/rules/{rules}.yaml"),
    "GET workshop.publishing_policy": admins("/admin/publishing"),
    "POST workshop.save_publishing_policy": admins("/admin/publishing", 422),
    "GET workshop.show_rollout": admins("/rules/{rules}/rollout"),
    "GET workshop.show_proposal": admins("/rules/proposals/{proposal}"),
    "GET workshop.ended_proposals": admins("/rules/okr_delivery/proposals"),
    "POST workshop.decide_on_proposal": admins("/rules/proposals/{proposal}/decide", 422),
    "POST workshop.withdraw_proposal": admins("/rules/proposals/{proposal}/withdraw", 303),
    "POST workshop.take_up_proposal": admins("/rules/proposals/{proposal}/take-up", 303),
    "GET workshop.new_process": admins("/rules/processes/new"),
    "POST workshop.add_process": admins("/rules/processes/new", 422),
    "GET workshop.throw_process_away_page": admins("/rules/begun_one/throw-away"),
    "POST workshop.throw_process_away": admins("/rules/begun_one/throw-away", 303),
    "GET workshop.retire_page": admins("/rules/okr_delivery/retire"),
    "POST workshop.retire_process": admins("/rules/okr_delivery/retire", 422),
    "POST workshop.bring_process_back": admins("/rules/okr_delivery/bring-back", 422),
    "GET workshop.show_proposal_impact": admins("/rules/proposals/{proposal}/impact"),
    "POST workshop.work_out_proposal_impact": admins("/rules/proposals/{proposal}/impact", 303),
    "GET workshop.show_impact": admins("/rules/okr_delivery/impact"),
    "POST workshop.work_out_impact": admins("/rules/okr_delivery/impact", 303),
    "GET workshop.review": admins("/rules/okr_delivery/review"),
    "POST workshop.decide": admins("/rules/okr_delivery/review", 303),
    "GET workshop.show_insights": auditors("/rules/okr_delivery/insights"),
    "GET workshop.show_trial": signed_in("/rules/{rules}/trial"),
    "POST workshop.check_while_typing": admins("/rules/okr_delivery/check"),
    "GET workshop.try_rules": admins("/rules/okr_delivery/try"),
    "POST workshop.try_again": admins("/rules/okr_delivery/try", 422),
    "GET workshop.show_tests": admins("/rules/okr_delivery/tests"),
    "POST workshop.remove_test": admins("/rules/okr_delivery/tests", 409),
    "GET workshop.show_numbers": admins("/rules/okr_delivery/numbers"),
    "POST workshop.save_numbers": admins("/rules/okr_delivery/numbers", 409),
    "GET workshop.show_gates": admins("/rules/okr_delivery/rows"),
    "POST workshop.act_on_requirement": admins("/rules/okr_delivery/rows", 422),
    "GET workshop.new_gate": admins("/rules/okr_delivery/rows/new-gate"),
    "POST workshop.add_gate": admins("/rules/okr_delivery/rows/new-gate", 422),
    "GET workshop.edit_gate": admins("/rules/okr_delivery/rows/gates/plan_complete"),
    "POST workshop.save_gate": admins("/rules/okr_delivery/rows/gates/plan_complete", 422),
    "GET workshop.remove_gate_page": admins("/rules/okr_delivery/rows/gates/plan_complete/remove"),
    "POST workshop.remove_gate": admins("/rules/okr_delivery/rows/gates/plan_complete/remove", 409),
    "GET workshop.new_requirement": admins("/rules/okr_delivery/rows/gates/plan_complete/new"),
    "POST workshop.add_requirement": admins(
        "/rules/okr_delivery/rows/gates/plan_complete/new", 422
    ),
    "GET workshop.edit_requirement": admins(
        "/rules/okr_delivery/rows/gates/plan_complete/one-accountable"
    ),
    "POST workshop.save_requirement": admins(
        "/rules/okr_delivery/rows/gates/plan_complete/one-accountable", 422
    ),
    "GET workshop.remove_requirement_page": admins(
        "/rules/okr_delivery/rows/gates/plan_complete/one-accountable/remove"
    ),
    "POST workshop.remove_requirement": admins(
        "/rules/okr_delivery/rows/gates/plan_complete/one-accountable/remove", 409
    ),
    "GET workshop.move_requirement_page": admins(
        "/rules/okr_delivery/rows/gates/plan_complete/one-accountable/move"
    ),
    "POST workshop.move_requirement": admins(
        "/rules/okr_delivery/rows/gates/plan_complete/one-accountable/move", 422
    ),
    "GET workshop.show_promises": admins("/rules/okr_delivery/rows/promises"),
    "GET workshop.new_promise": admins("/rules/okr_delivery/rows/promises/new"),
    "POST workshop.add_promise": admins("/rules/okr_delivery/rows/promises/new", 422),
    "GET workshop.edit_promise": admins("/rules/okr_delivery/rows/promises/nothing-closes-unread"),
    "POST workshop.save_promise": admins(
        "/rules/okr_delivery/rows/promises/nothing-closes-unread", 422
    ),
    "GET workshop.remove_promise_page": admins(
        "/rules/okr_delivery/rows/promises/nothing-closes-unread/remove"
    ),
    "POST workshop.remove_promise": admins(
        "/rules/okr_delivery/rows/promises/nothing-closes-unread/remove", 409
    ),
    "GET workshop.show_process": admins("/rules/okr_delivery/rows/process"),
    "POST workshop.act_on_row": admins("/rules/okr_delivery/rows/process", 422),
    "GET workshop.new_row": admins("/rules/okr_delivery/rows/process/new/move"),
    "POST workshop.add_row": admins("/rules/okr_delivery/rows/process/new/move", 422),
    "GET workshop.edit_row": admins("/rules/okr_delivery/rows/process/stage/plan_work"),
    "POST workshop.save_row": admins("/rules/okr_delivery/rows/process/stage/plan_work", 422),
    "GET workshop.show_sections": admins(
        "/rules/okr_delivery/rows/process/stage/plan_work/sections"
    ),
    "POST workshop.save_sections": admins(
        "/rules/okr_delivery/rows/process/stage/plan_work/sections", 409
    ),
    "GET workshop.show_signing": admins("/rules/okr_delivery/rows/process/signing"),
    "POST workshop.save_signing": admins("/rules/okr_delivery/rows/process/signing", 409),
    "GET workshop.add_stage_page": admins("/rules/okr_delivery/rows/process/add-stage"),
    "POST workshop.add_stage": admins("/rules/okr_delivery/rows/process/add-stage", 422),
    "GET workshop.remove_row_page": admins(
        "/rules/okr_delivery/rows/process/question/data_class/remove"
    ),
    "POST workshop.remove_row": admins(
        "/rules/okr_delivery/rows/process/question/data_class/remove"
    ),
    "GET workshop.edit": admins("/rules/okr_delivery/edit"),
    "POST workshop.work_on": admins("/rules/okr_delivery/edit", 422),
    "POST workshop.publish": admins("/rules/okr_delivery/publish", 422),
    "GET workshop.roll_back_page": admins("/rules/{rules}/roll-back"),
    "POST workshop.roll_back": admins("/rules/{rules}/roll-back", 422),
    "GET metrics.list_metrics": signed_in("/metrics"),
    "GET metrics.show_metric": signed_in("/metrics/{metric}"),
    "POST metrics.show_metric": signed_in(
        "/metrics/{metric}", 403, Lea=303, Ada=303, data={"on": "2026-12-{day}", "value": "5"}
    ),
    "GET metrics.edit_metric": signed_in("/metrics/{metric}/edit", 403, Lea=200, Ada=200),
    "POST metrics.edit_metric": signed_in("/metrics/{metric}/edit", 403, Lea=422, Ada=422),
    "GET metrics.correct_value": signed_in(
        "/metrics/values/{value}/correct", 403, Lea=200, Ada=200
    ),
    "POST metrics.correct_value": signed_in(
        "/metrics/values/{value}/correct", 403, Lea=422, Ada=422
    ),
    "GET metrics.new_metric": signed_in("/metrics/new"),
    "POST metrics.new_metric": signed_in("/metrics/new", 422),
    "GET okrs.list_objectives": signed_in("/okrs"),
    "GET okrs.show_objective": signed_in("/okrs/{objective}"),
    "GET okrs.new_objective": signed_in("/okrs/new"),
    "POST okrs.new_objective": signed_in("/okrs/new", 422),
    "GET okrs.edit_objective": signed_in("/okrs/{objective}/edit", 403, Lea=200, Ada=200),
    "POST okrs.edit_objective": signed_in("/okrs/{objective}/edit", 403, Lea=303, Ada=303),
    "GET okrs.new_key_result": signed_in(
        "/okrs/{objective}/key-results/new", 403, Lea=200, Ada=200
    ),
    "POST okrs.new_key_result": signed_in(
        "/okrs/{objective}/key-results/new", 403, Lea=422, Ada=422
    ),
    "GET okrs.edit_key_result": signed_in(
        "/okrs/key-results/{key_result}/edit", 403, Lea=200, Ada=200
    ),
    "POST okrs.edit_key_result": signed_in(
        "/okrs/key-results/{key_result}/edit", 403, Lea=303, Ada=303
    ),
    "GET okrs.check_in": signed_in("/okrs/key-results/{key_result}", 403, Lea=200, Ada=200),
    "POST okrs.check_in": signed_in(
        "/okrs/key-results/{key_result}", 403, Lea=303, Ada=303, data={"value": "5"}
    ),
    "GET okrs.new_period": admins("/okrs/periods/new"),
    "POST okrs.new_period": admins("/okrs/periods/new", 422),
    "GET measurement.confirmations": signed_in("/measurement/confirmations"),
    "POST measurement.confirm": signed_in(
        "/measurement/confirmations/{target}",
        403,
        Lea=303,
        Ada=303,
        data={"confirmed": "yes"},
        stop="planned",
    ),
    "GET delivery.my_statements": signed_in("/statements"),
    "GET delivery.show_statement": signed_in(
        "/statements/{statement}", 404, Sue=200, Lea=200, stop="wrapping up"
    ),
    "POST delivery.answer_statement": signed_in(
        "/statements/{statement}", 404, Sue=422, Lea=422, stop="wrapping up"
    ),
    "POST delivery.remind": signed_in(
        "/statements/{statement}/remind", 404, Sue=403, Lea=303, stop="wrapping up"
    ),
    "GET delivery.project_statements": signed_in(
        "/projects/{reference}/statements", stop="wrapping up"
    ),
    "GET delivery.kickoff_calendar": signed_in(
        "/projects/{reference}/kickoff.ics", stop="wrapping up"
    ),
    "GET summaries.show_summary": signed_in("/projects/{reference}/summary", stop="wrapping up"),
    "GET notifications.my_mail": signed_in("/account/mail"),
    "POST notifications.choose_mail": signed_in("/account/mail", 303, talk="digest"),
    "GET notifications.inbox": signed_in("/inbox"),
    "POST notifications.mark_read": signed_in("/inbox/{news}/read", 404, Mia=303),
    "POST notifications.mark_all_read": signed_in("/inbox/read", 303),
    "GET administration.landing": admins("/admin"),
    "GET administration.unheld_roles": admins("/admin/roles"),
    "GET administration.settings": admins("/admin/settings"),
    "POST administration.save_settings": admins("/admin/settings", 422),
    "POST administration.close_incident": admins("/admin/incidents/engine/seen", 409),
    "GET imports.list_files": admins("/admin/imports"),
    "POST imports.list_files": admins("/admin/imports", 422),
    "GET imports.map_file": admins("/admin/imports/{file}"),
    "POST imports.map_file": admins("/admin/imports/{file}", 409),
    "GET imports.show_run": admins("/admin/imports/{file}/run", 303),
    "POST imports.show_run": admins("/admin/imports/{file}/run", 409),
    "GET notifications.dead_letters": admins("/admin/dead-letters"),
    "POST notifications.settle_dead_letters": admins("/admin/dead-letters", 422),
    "POST notifications.send_again": admins("/admin/dead-letters/{letter}/send-again", 303),
    # The demo's tour and its caught mail exist in the demo only.
    "GET demo.show_tour": anyone("/demo/tour", 404),
    "POST demo.keep_step": anyone("/demo/tour", 404),
    "POST demo.go": anyone("/demo/tour/1/1", 404),
    "GET notifications.caught_mail": anyone("/demo/mail", 404),
    "GET notifications.show_caught_mail": anyone("/demo/mail/1.eml", 404),
    "GET web.healthz": anyone("/healthz"),
    # The tests' databases are made without migrations, and their settings name no token.
    "GET watching.readyz": anyone("/readyz", 503),
    "GET watching.metrics": anyone("/metricsz", 404),
    "POST web.set_theme": anyone("/theme", 303, {"theme": "dark"}),
    "GET web.favicon": anyone("/favicon.ico", 302),
    "GET static": anyone("/static/icons/okrgate.svg"),
}


def routes(app: Flask) -> set[str]:
    """Return every route of the application as "METHOD endpoint"."""
    return {
        f"{method} {rule.endpoint}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_the_table_holds_every_route_and_no_other(app: Flask) -> None:
    assert routes(app) == set(TABLE)


def test_every_route_says_who_may_use_it(app: Flask) -> None:
    for endpoint in app.view_functions:
        assert callable(policy_of(endpoint, app))


def test_a_route_that_does_not_say_so_is_never_run(another: Callable[[], Flask]) -> None:
    fresh = another()
    client = fresh.test_client()
    fresh.add_url_rule("/forgot", "forgot", lambda: "open to all")
    with pytest.raises(NoPolicy):
        client.get("/forgot")
    fresh.view_functions["forgot"] = requires(lambda: None)(lambda: "decided")
    assert client.get("/forgot").get_data() == b"decided"


@pytest.mark.parametrize("stop", sorted({row.stop for row in TABLE.values()}))
def test_looking(stops: Stops, stop: str) -> None:
    with arranged(stops, stop) as (company, words):
        browsers = {reader: browser(company, reader) for reader in READERS}
        before, problems = dump(), []
        for name, row in TABLE.items():
            if not name.startswith("GET") or row.stop != stop:
                continue
            path = row.path.format(**words)
            for reader, client in browsers.items():
                with client.get(path) as answer:
                    answer.get_data()
                    got = answer.status_code
                if got != row.expected("GET", reader):
                    problems.append(
                        f"{path} for {reader}: {got}, not {row.expected('GET', reader)}"
                    )
        assert not problems, "\n".join(problems)
        # (A session's last use is noted at most once a minute; the clock stands still here.)
        assert differences(before, dump()) == {}, "looking wrote"


# What one person asked for, another cannot ask for again; and which table keeps that an act was denied.
ONCE = {"POST stages.ask_waiver", "POST stages.nudge"}
RECORD = "audit_entries"
# First those who are refused and leave no trace, then those whose try is noted, then whoever may act.
_ORDER = {401: 0, 404: 0, 422: 0, 403: 1}


@pytest.mark.parametrize("name", [name for name in TABLE if name.startswith("POST")])
def test_doing(stops: Stops, name: str) -> None:
    row = TABLE[name]
    with arranged(stops, row.stop) as (company, words):
        path = row.path.format(**words)
        browsers = {reader: browser(company, reader) for reader in READERS}
        problems: list[str] = []

        def post(reader: str) -> None:
            expected = row.expected("POST", reader)
            # Everybody has a day of their own: one value a day is enough.
            day = 10 + READERS.index(reader)
            data = {key: value.format(**words, day=day) for key, value in row.data.items()}
            answer = browsers[reader].post(path, data=data)
            answer.get_data()
            late = name in ONCE and expected == 303 and answer.status_code == 409
            if answer.status_code != expected and not (late and reader in row.others):
                problems.append(f"{reader}: {answer.status_code}, not {expected}")

        # Whoever may act comes last, so that everybody else is refused the act and not its repetition.
        groups: dict[int, list[str]] = {0: [], 1: [], 2: []}
        for reader in READERS:
            groups[_ORDER.get(row.expected("POST", reader), 2)].append(reader)
        refused, denied, others = groups.values()
        before = dump()
        for reader in refused:
            post(reader)
        written = differences(before, before := dump()) if refused else {}
        if written:
            problems.append(f"{refused} were refused, and yet this was written: {written}")
        for reader in denied:
            post(reader)
        written = differences(before, dump()) if denied else {}
        if denied and written != {RECORD: (len(before[RECORD]), len(before[RECORD]) + len(denied))}:
            problems.append(f"{denied} were denied it, and this was written: {written}")
        for reader in others:
            post(reader)
        assert not problems, "\n".join(problems)


def test_nobody_ends_anothers_session(arrive: Arrive) -> None:
    company = arrive("in approval")
    query = select(SignInSession.id).where(SignInSession.person_id == company.ids["Ines"])
    session_id = db.session.scalars(query).first()
    for name in ("Pat", "Ada"):
        company[name].client.post(f"/account/sessions/{session_id}/end")
    db.session.rollback()
    assert db.session.get_one(SignInSession, session_id).ended_at is None


HIDDEN = (
    "",
    "/parts/problem",
    "/parts/problem/problem",
    "/moves/submit_idea",
    "/statements",
    "/summary",
    "/receipts",
    "/kickoff.ics",
    "/waivers/result-linked",
)


@pytest.mark.parametrize("path", HIDDEN)
def test_a_draft_looks_to_others_like_what_does_not_exist(arrive: Arrive, path: str) -> None:
    company = arrive("told")
    assert_hidden(company, path, readers=("Pat", "Rex", "Mia", "Ada", "Aud"))
    assert company["Sue"].client.get(f"/projects/{company.reference}").status_code == 200


@pytest.mark.parametrize("path", HIDDEN)
def test_what_is_confidential_looks_to_others_like_what_does_not_exist(
    arrive: Arrive, path: str
) -> None:
    company = arrive("half approved")
    with transaction():
        company.project().confidential = True
    assert_hidden(company, path, readers=("Pat", "Led", "Ada"))
    for name in ("Sue", "Lea", "Aud"):
        assert company[name].client.get(f"/projects/{company.reference}").status_code == 200


def test_lists_never_name_what_is_hidden(arrive: Arrive) -> None:
    company = arrive("half approved")
    with transaction():
        company.project().confidential = True
    for name in ("Pat", "Led", "Ada"):
        client = company[name].client
        for path in ("/", "/projects?state=all", "/projects?q=Renewals", "/approvals", "/inbox"):
            page = client.get(path).get_data(as_text=True)
            assert "Renewals in one step" not in page, f"{name} on {path}"


@pytest.mark.parametrize(
    "path",
    [
        "/approvals/{number}",
        "/receipts/{number}",
        "/signoffs/{number}/withdraw",
        "/receipts/{number}.pdf",
        "/conditions/{number}",
        "/metrics/{number}",
        "/okrs/{number}",
        "/okrs/key-results/{number}",
        "/rules/{number}",
        "/rules/proposals/{number}",
        "/statements/{number}",
        "/admin/people/{number}",
        "/admin/units/{number}",
        "/projects/{number}",
    ],
)
def test_a_number_that_is_nobodys_is_not_found(arrive: Arrive, path: str) -> None:
    client = arrive("in approval")["Ada"].client
    for number in ("0", "999999", "2147483647", "2147483648", "9" * 40, "-1", "%00", "1e3"):
        answer = client.get(path.format(number=number))
        assert answer.status_code in {404, 422}, f"{number}: {answer.status_code}"


def assert_hidden(company: Company, path: str, *, readers: tuple[str, ...]) -> None:
    """Compare, to the byte, with a project that does not exist."""
    missing = "OKR-999" if len(company.reference) == 7 else "OKR-9999"
    for name in readers:
        client = company[name].client
        for method in ("GET", "POST"):
            one = client.open(f"/projects/{company.reference}{path}", method=method)
            other = client.open(f"/projects/{missing}{path}", method=method)
            assert one.status_code == other.status_code, name
            if method == "GET" or one.status_code != 405:
                assert one.status_code == 404, f"{method} by {name}: {one.status_code}"
            assert plain(one, company.reference) == plain(other, missing)


def plain(answer: TestResponse, reference: str) -> str:
    """Return a page without the number of its request, its token and the address that was asked for."""
    page = answer.get_data(as_text=True).replace(answer.headers["X-Request-Id"], "")
    token = r'name="csrf_token" value="[^"]+"|"X-CSRFToken": "[^"]+"'
    return re.sub(token, "", page.replace(reference, "OKR"))


@contextmanager
def arranged(stops: Stops, stop: str) -> Iterator[tuple[Company, dict[str, object]]]:
    """Yield the company at a stop with one of everything, and the words that addresses are made of."""
    with ExitStack() as stack:
        company = stack.enter_context(contextmanager(stops.arrive)(stop, after=arrange))
        yield company, words_for(company)


def arrange(company: Company) -> None:
    """Put in what the way has not brought: Gil who left, a condition, a dead mail, numbers that Lea owns."""
    gil = company.factory.person("Gil", admin=True, unit=company.unit)
    company.ids["Gil"] = gil.id
    company.factory.grant(gil, "managing_director", company.unit)
    lea, project = company.ids["Lea"], company.project()
    with transaction() as session:
        for row in session.scalars(select(Metric)):
            row.owner_id, row.steward_id = lea, lea
        for objective in session.scalars(select(Objective)):
            objective.owner_id = lea
        if project.stage == "plan_work":
            for target in session.scalars(select(Target)):
                target.confirmed = None
        word = session.scalars(select(SignoffRow)).first()
        assert word is not None
        session.add(
            Condition(
                project_id=project.id,
                signoff_id=word.id,
                gate="review_done",
                text="Report calls",
                owner_id=lea,
            )
        )
        session.add(
            Observation(
                metric_id=int(company.metric),
                on=clock.today(),
                value=Decimal("5.1"),
                by_id=lea,
                at=clock.now(),
            )
        )
        session.add(
            Comment(
                project_id=project.id, by_id=company.ids["Pat"], text="Why now?", at=clock.now()
            )
        )
        session.add(SavedView(person_id=lea, name="Mine", asked={}, changed_at=clock.now()))
        session.add(
            ImportFile(
                name="portfolio.csv",
                by_id=company.ids["Ada"],
                at=clock.now(),
                content=b"id,title\n1,Quay\n",
                kind={"encoding": "utf-8", "delimiter": ",", "sheet": ""},
                choices={},
            )
        )
        version = session.scalars(select(RulebookVersion)).one()
        session.add(
            Proposal(
                process_id=version.process_id,
                text=version.text,
                sha256=version.sha256,
                note="Shorter waits.",
                based_on=version.number,
                author_id=company.ids["Ada"],
                created_at=clock.now(),
                in_flight="keep",
                state="waiting",
                needed=1,
                loosens=False,
                asked=[gil.id],
                changes=[],
                impact=[],
                unheld=[],
            )
        )
        beginnings.begin("begun_one", "Begun", version.text, origin="Begun", by=company.ids["Ada"])
        _call_a_meeting(company, project.process_id)
        letter = session.scalars(select(OutboxRow).where(OutboxRow.channel == MAIL)).first()
        assert letter is not None
        letter.status = DEAD
    settling.settle(project.id)


def _call_a_meeting(company: Company, process: int) -> None:
    """Let Mia have called a meeting of next week."""
    db.session.add(
        Meeting(
            title="Approvals",
            gates=[f"{process}:executive_signoff"],
            starts_at=clock.now() + timedelta(days=7),
            minutes=60,
            zone="UTC",
            place="",
            chair_id=company.ids["Mia"],
            called_by_id=company.ids["Mia"],
            state=CALLED,
            sequence=0,
            version=1,
            reason="",
            key="a key",
            created_at=clock.now(),
        )
    )
    db.session.flush()
    number = db.session.scalars(select(Meeting.id)).one()
    for name in ("Mia", "Rex"):
        db.session.add(MeetingPerson(meeting_id=number, person_id=company.ids[name]))


def words_for(company: Company) -> dict[str, object]:
    """Return the number of one of everything."""
    ids, project = company.ids, company.project()
    pick = db.session.scalar
    versions = pick(select(RulebookVersion.id))
    newest = select(Round).where(Round.project_id == project.id).order_by(Round.id.desc()).limit(1)
    round_row = db.session.scalars(newest).first()
    return {
        "reference": project.reference,
        "version": project.version,
        "unit": company.unit.id,
        "rules": versions,
        "round": round_row.id if round_row else 0,
        "digest": round_row.digest if round_row else "",
        "receipt": pick(select(Receipt.id).where(Receipt.by_id == ids["Rex"])),
        "signoff": pick(select(SignoffRow.id).where(SignoffRow.person_id == ids["Rex"])),
        "condition": pick(select(Condition.id)),
        "comment": pick(select(Comment.id)),
        "meeting": pick(select(Meeting.id)),
        "view": pick(select(SavedView.id)),
        "proposal": pick(select(Proposal.id)),
        "person": ids["Pat"],
        "gone": ids["Gil"],
        "rex": ids["Rex"],
        "grant": pick(select(RoleGrant.id).where(RoleGrant.person_id == ids["Rex"])),
        "session": pick(select(SignInSession.id).where(SignInSession.person_id == ids["Ines"])),
        "metric": company.metric,
        "value": pick(select(Observation.id)),
        "objective": pick(select(Objective.id)),
        "key_result": pick(select(KeyResult.id)),
        "target": pick(select(Target.id)),
        "statement": pick(select(Statement.id).where(Statement.person_id == ids["Sue"])),
        "news": pick(
            select(OutboxRow.id).where(
                OutboxRow.channel == INBOX, OutboxRow.person_id == ids["Mia"]
            )
        ),
        "file": pick(select(ImportFile.id)),
        "letter": pick(select(OutboxRow.id).where(OutboxRow.status == DEAD)),
        "scope": saves_of_scope(project.id),
        "steward": company.ids["Lea"],
    }


def saves_of_scope(project_id: int) -> int:
    """Return how often the scope was saved."""
    state = db.session.scalars(
        select(SectionState).where(
            SectionState.project_id == project_id, SectionState.section == "scope"
        )
    ).first()
    return state.version if state else 0


def browser(company: Company, reader: str) -> FlaskClient:
    """Return a reader's browser. Gil signed in before he left."""
    if reader == "nobody":
        return company.factory.app.test_client()
    client = company[reader].client
    if reader == "Gil":
        with transaction():
            db.session.get_one(Person, company.ids["Gil"]).active = False
    return client
