"""Every page of this room, on its one blueprint: importing this registers them all."""

from okrgate.workshop import editor_views, publish_views
from okrgate.workshop.blueprint import blueprint

__all__ = ["blueprint", "editor_views", "publish_views"]
