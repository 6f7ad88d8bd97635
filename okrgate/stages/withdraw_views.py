"""The page that asks before somebody's decision is taken back."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from okrgate.approvals.asking import gate_label
from okrgate.stages import reading, withdrawing
from okrgate.stages.forms import WithdrawForm
from okrgate.stages.views import blueprint, reader
from okrgate.web.htmx import render
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import me


@blueprint.route("/signoffs/<int(max=2147483647):signoff_id>/withdraw", methods=["GET", "POST"])
@requires(signed_in)
def withdraw_signoff(signoff_id: int) -> ResponseReturnValue:
    """Ask whether to take my decision back, then do so."""
    row = withdrawing.own(signoff_id, me())
    loaded, found = reading.load_round(row.round_id, reader())
    form = WithdrawForm()
    status = 200
    if request.method == "POST":
        if form.validate():
            receipt = withdrawing.withdraw(signoff_id, by=me(), reason=form.reason.data or "")
            return redirect(url_for("approvals.show_receipt", receipt_id=receipt, done=1), 303)
        status = 422
    return render(
        "stages/withdraw_signoff.html",
        status=status,
        loaded=loaded,
        project=loaded.project,
        row=row,
        round=found,
        gate=gate_label(loaded.rulebook, found),
        refusal=withdrawing.refusal(row, found),
        form=form,
        form_errors=form.errors if status == 422 else None,
    )
