"""What a text would do to all projects there are: worked out in steps, and kept for whoever decides on it."""
