"""Run by Alembic: migrate over the connection that okrgate.migrations opened."""

from alembic import context

from okrgate.database import Model
from okrgate.migrations import complete, render_item

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Model.metadata,
    render_as_batch=True,
    render_item=render_item,
    process_revision_directives=complete,
)
with context.begin_transaction():
    context.run_migrations()
