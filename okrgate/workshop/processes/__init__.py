"""Processes side by side: one is added on a page, retired, and brought back."""
