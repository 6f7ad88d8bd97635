"""The map in the documents is always the map of the rules that are shipped."""

from pathlib import Path

from click.testing import CliRunner
from defusedxml import ElementTree

from okrgate.commands import main
from okrgate.gates.language import load_rulebook
from okrgate.rulebooks.mapping import as_svg
from tests.factories import SHIPPED

ROOT = SHIPPED.parents[1]
OTHER = ROOT / "rules" / "examples" / "device_change.yaml"


def test_the_documents_show_the_map_of_the_shipped_rules() -> None:
    shown = (ROOT / "docs" / "images" / "process.svg").read_text("utf-8")

    assert shown == as_svg(load_rulebook(SHIPPED.read_text("utf-8"))), (
        "draw it anew: okrgate rules map rules/stage_gates.yaml > docs/images/process.svg"
    )


def test_the_command_draws_any_process_whole() -> None:
    said = CliRunner().invoke(main, ["rules", "map", str(OTHER)])

    assert said.exit_code == 0
    picture = ElementTree.fromstring(said.output)
    words = " ".join(picture.itertext())
    for gate in load_rulebook(Path(OTHER).read_text("utf-8")).gates.values():
        assert gate.label in words
    assert "href" not in said.output, "it stands alone"
