"""Several processes of one server count together; their figures are one page."""

import http.client
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import SECRET
from tests.integration.commands.hosts import Browser, started, wait_until
from tests.machine import PATIENCE, free_port

TOKEN = "q8-Lw2_nV5xR7tYb3Kc9"
ASKED = 40


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_two_processes_count_together(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "OKRGATE_SECRET_KEY": SECRET,
        "OKRGATE_METRICS_TOKEN": TOKEN,
        "OKRGATE_BASE_URL": "http://127.0.0.1:8999",
    }
    arguments = ("serve", "--port", str(port), "--workers", "2")
    with started(environment, *arguments, folder=tmp_path / "web"):
        browser = Browser(port, "127.0.0.1:8999")
        wait_until(lambda: browser.up("/readyz"))
        for _ in range(ASKED):
            assert browser.get("/healthz")[0] == 200

        found = Counter(_counted(port) for _ in range(10))

    assert list(found) == [ASKED], "each process tells its own figures only"


def _counted(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/metricsz", headers={"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        page = answer.read().decode()
    finally:
        connection.close()
    assert answer.status == 200, page
    found = re.search(
        r'okrgate_requests_total\{endpoint="web.healthz",method="GET",status="200"\} (\S+)', page
    )
    assert found, page
    return int(float(found[1]))
