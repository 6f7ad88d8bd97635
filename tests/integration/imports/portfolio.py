"""An invented portfolio, sent as such files are really sent: cp1252, semicolons, mixed line ends, breaks in cells."""

from pathlib import Path

HEADER = (
    "year;project_number;project_name;department;report_category;description_aims;colour_rating;colour_rating;"
    "rating_comment;start_date;end_date;schedule_comment;total_baseline;forecast_incl_NGC;variance_comment;"
    "wlc_baseline_incl_NCG;budget_comment"
)
EXEMPT = "Exempt under Section 26 of an Act (Defence)"
EARLY = '"Early planning project \r\r\n\r\r\n(It has not yet passed its first case)"'


def row(
    key: str,
    name: str,
    aims: str,
    start: str = "2026-03-01",
    end: str = "2028-03-01",
    cost: str = "£12",
) -> str:
    """Return a row as text."""
    cells = ["2022", key, name, "MOX", "ICT", aims, "", "Amber", "", start, end, "", "£1", "£1", "", cost, ""]  # fmt: skip
    return ";".join(cells)


ROWS = (
    row("MOX_1", "Harbour Renewal", "A new quay.", "2027-02-01", "2030-01-31", "£1,234"),
    row(
        "MOX_2",
        '"Rail \N{EN DASH} ""Northern"" Arc"',
        '"Trains run 2026\N{EN DASH}2028.\r\r\nThe fleet\N{RIGHT SINGLE QUOTATION MARK}s replacement; and its depots.\n£ are saved."',
        cost="£33.73",
    ),
    row("MOX_3", "Tax Portal", "One form.", "1997-03-17", "2026-12-31", "£0"),
    row("MOX_4", "Quiet Ship", EXEMPT, EXEMPT, EXEMPT, EXEMPT),
    row(
        "MOX_5",
        "Clinic Fund",
        "Care near home.",
        EARLY,
        EARLY,
        "The project is not in a position to provide this information.",
    ),
    row("MOX_6", "Bridge", "A bridge.", "2026-02-31", "2028-01-01"),
    row("MOX_1", "Harbour Renewal again", "A new quay."),
    row("MOX_8", "Vague", "No one knows.", "soon", "later", "£1,23"),
    "2022;MOX_9;Cut off;MOX",
    row("MOX_10", "Backwards", "Ends first.", "2027-05-01", "2026-05-01"),
    row("MOX_11", "Long", "x" * 10_001),
    row("", "Nameless", "It has no number."),
)  # fmt: skip


def write(folder: Path, rows: tuple[str, ...] = ROWS) -> Path:
    """Write the file; the ends of its lines differ."""
    ends = ("\r\n", "\n")
    lines = (HEADER, *rows)
    text = "".join(line + ends[number % 2] for number, line in enumerate(lines))
    path = folder / "portfolio.csv"
    path.write_bytes(text.encode("cp1252"))
    return path
