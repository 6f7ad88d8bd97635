"""`python -m okrgate.commands` is `okrgate`."""

from okrgate.commands import main

main(prog_name="okrgate")
