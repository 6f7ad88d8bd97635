"""Every page of this room, on its one blueprint: importing this registers them all."""

from okrgate.stages import decide_views, panel_views, section_views
from okrgate.stages.views import blueprint

__all__ = ["blueprint", "decide_views", "panel_views", "section_views"]
