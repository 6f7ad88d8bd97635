"""Every page of this room, on its one blueprint: importing this registers them all."""

from okrgate.stages import (
    change_views,
    check_views,
    decide_views,
    handing_views,
    list_views,
    many_views,
    move_views,
    panel_views,
    pulse_views,
    section_views,
    withdraw_views,
)
from okrgate.stages.views import blueprint

__all__ = [
    "blueprint",
    "change_views",
    "check_views",
    "decide_views",
    "handing_views",
    "list_views",
    "many_views",
    "move_views",
    "panel_views",
    "pulse_views",
    "section_views",
    "withdraw_views",
]
