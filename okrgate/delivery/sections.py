"""The sections of this room."""

from okrgate.delivery.kickoff import KICKOFF
from okrgate.delivery.running import DELIVERY
from okrgate.delivery.wrapup import WRAPUP

SECTIONS = (KICKOFF, DELIVERY, WRAPUP)
