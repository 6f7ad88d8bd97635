"""Trying rules: on any project, on their own tests, and recording what came out."""
