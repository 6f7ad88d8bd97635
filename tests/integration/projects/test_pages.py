"""Every page of the plan can be rendered, empty, filled and refused."""

from flask import Flask, render_template
from werkzeug.datastructures import MultiDict
from wtforms import FieldList

from okrgate.projects.all_sections import SECTIONS
from okrgate.projects.models import Project


def test_every_page_can_be_shown_empty_with_a_row_and_with_errors(
    app: Flask, project: Project
) -> None:
    for section in SECTIONS:
        for page in section.pages:
            typed = {"title": "x" * 300, "rank": "x", "rate": "x", "reach": "x", "fits": "x"}
            with app.test_request_context():
                for form in (
                    page.form(formdata=None, data=dict(page.load(project))),
                    page.form(formdata=MultiDict(typed)),
                ):
                    for field in form:
                        if isinstance(field, FieldList):
                            field.append_entry()
                    page.prepare(form, project)
                    form.validate()
                    text = render_template(page.template, form=form)

                    single = [field for field in form if not isinstance(field, FieldList)]
                    assert all(f'name="{field.name}"' in text for field in single), page.key
                    assert " style=" not in text
