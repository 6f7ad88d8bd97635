"""Every page of this room, on its one blueprint: importing this registers them all."""

from okrgate.administration import leaving_views, views
from okrgate.administration.blueprint import blueprint

__all__ = ["blueprint", "leaving_views", "views"]
