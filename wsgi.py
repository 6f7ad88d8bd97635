"""The WSGI entry point: `granian --interface wsgi wsgi:app`, or any other WSGI server."""

from okrgate.app import create_app
from okrgate.config import Settings
from okrgate.watching import watchman

app = create_app(Settings.from_environment())
watchman.start(app)
