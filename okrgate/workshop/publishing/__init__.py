"""Publishing rules: proposals, approvals, the day, projects under way."""
