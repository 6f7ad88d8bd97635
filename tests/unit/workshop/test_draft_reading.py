"""What reads drafts in a process of its own."""

import subprocess
import sys


def test_a_process_that_reads_a_draft_begins_without_web_and_database() -> None:
    code = (
        "import sys, okrgate.workshop.rows.draft_reading\n"
        "print(*({'flask', 'sqlalchemy', 'wtforms', 'z3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)  # noqa: S603 - our own code
    assert done.stdout.strip() == ""
