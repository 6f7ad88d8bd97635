"""Every page of this room, on its one blueprint: importing this registers them all."""

from okrgate.approvals import receipt_views
from okrgate.approvals.views import badge, blueprint

__all__ = ["badge", "blueprint", "receipt_views"]
