"""Every page of this room, on its one blueprint: importing this registers them all."""

from okrgate.workshop import (
    editor_views,
    gate_views,
    insight_views,
    live_views,
    numbers_views,
    policy_views,
    process_views,
    proposal_views,
    publish_views,
    requirement_views,
    review_views,
    rollout_views,
    stage_views,
    tests_views,
    trying_views,
)
from okrgate.workshop.blueprint import blueprint

__all__ = [
    "blueprint",
    "editor_views",
    "gate_views",
    "insight_views",
    "live_views",
    "numbers_views",
    "policy_views",
    "process_views",
    "proposal_views",
    "publish_views",
    "requirement_views",
    "review_views",
    "rollout_views",
    "stage_views",
    "tests_views",
    "trying_views",
]
