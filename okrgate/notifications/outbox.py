"""Put a row for each recipient and channel into the outbox, in the transaction of the event."""

from okrgate.events import Event


def on_event(event: Event) -> None:
    """Store what is to be told. Called inside the event's transaction."""
