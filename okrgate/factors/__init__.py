"""The second factor: something a person has besides their password, shown anew for what counts most."""
