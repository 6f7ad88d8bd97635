"""The draft in rows and numbers: gates, requirements, stages, moves, roles, questions."""
