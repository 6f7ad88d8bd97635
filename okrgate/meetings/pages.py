"""Every page of this room, on its one blueprint: importing this registers them all."""

from okrgate.meetings import live_views, views
from okrgate.meetings.blueprint import blueprint

__all__ = ["blueprint", "live_views", "views"]
