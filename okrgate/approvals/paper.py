"""A receipt on paper: a PDF that says the same as the page, the same bytes each time, with the proof inside it.

It is a PDF/A-3: its letters and its colours are in it, and so is the receipt as JSON, for whoever checks it.
"""

import unicodedata
from xml.sax.saxutils import escape

from fpdf import FPDF
from fpdf.fonts import TTFFont

from okrgate.approvals.sheet import Needed, Sheet, Told, file_of
from okrgate.config import resources
from okrgate.database import canonical_json
from okrgate.web.filters import NO_VALUE

_FONTS = {"": "Inter_400Regular.ttf", "B": "Inter_600SemiBold.ttf"}
_FOLDER = "inter-ttf-0.4.2"
_UNKNOWN = "□"
# Marks of control, of direction and on other letters: nothing that is drawn by itself.
_UNSEEN = {"Cc", "Cf", "Mn"}
_INK, _SOFT, _LINE = (24, 36, 51), (91, 102, 117), (218, 223, 230)
_TONES = {
    "success": (20, 108, 67),
    "danger": (176, 32, 32),
    "warning": (138, 90, 0),
    "neutral": _SOFT,
}
_MARGIN, _LABEL = 20, 42
_XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
  <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
    xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
    <rdf:Description rdf:about="" xmp:CreatorTool="okrgate" xmp:CreateDate="{at}" xmp:ModifyDate="{at}"
      xmp:MetadataDate="{at}" pdf:Producer="okrgate">
      <pdfaid:part>3</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>
      <dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
      <dc:language><rdf:Bag><rdf:li>en</rdf:li></rdf:Bag></dc:language>
    </rdf:Description>
  </rdf:RDF>
</x:xmpmeta>"""


def paper_of(sheet: Sheet) -> bytes:
    """Return the PDF of a receipt. While nothing about it changes, so do none of its bytes."""
    paper = _Paper(sheet)
    paper.add_page()
    paper.head(sheet)
    paper.rows(_facts(sheet))
    if sheet.said is not None and sheet.said.reason:
        paper.chapter("Reason")
        paper.text_block(sheet.said.reason)
    if sheet.conditions:
        paper.chapter("Conditions")
        for condition, owner in sheet.conditions:
            due = f", by {condition.due_on.isoformat()}" if condition.due_on else ""
            paper.row(f"{owner}{due}", condition.text)
    paper.chapter(_gate_title(sheet))
    for finding in sheet.findings:
        paper.finding(finding)
    paper.chapter("What was signed" if sheet.said else "What it stood on")
    paper.rows(sheet.content)
    paper.chapter("How to check it")
    paper.proof(sheet)
    return paper.finished(sheet)


def _gate_title(sheet: Sheet) -> str:
    return "What the gate found just before" if sheet.said else "What the gate found"


def _facts(sheet: Sheet) -> list[tuple[str, str]]:
    return [
        (label, text)
        for label, text in (
            ("Signed by" if sheet.said else "By", sheet.by),
            ("For", sheet.behalf),
            ("As", sheet.roles),
            ("When", sheet.when),
            ("Signed with", sheet.signature),
            ("Taken back", sheet.withdrawn),
            ("Gate", sheet.gate),
            ("Rules", f"{sheet.rules.title}, version {sheet.rules.number}"),
        )
        if text
    ]


class _Paper(FPDF):
    """A calm A4 page. Points and millimetres stand here and nowhere else."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(format="A4", unit="mm", enforce_compliance="PDF/A-3U")
        self.called = sheet.title
        self.unknown = False
        for style, name in _FONTS.items():
            self.add_font("Inter", style, resources() / "static" / "vendor" / _FOLDER / name)
        # Both weights come from one family and draw the same letters.
        drawn = self.fonts["inter"]
        self.letters = frozenset(drawn.cmap) if isinstance(drawn, TTFFont) else frozenset()
        self.set_margins(_MARGIN, 18, _MARGIN)
        self.set_auto_page_break(True, margin=22)
        self.set_lang("en")
        self.set_title(f"{sheet.title}: {sheet.project.reference} {self.said(sheet.project.title)}")
        self.set_creator("okrgate")
        self.set_producer("okrgate")
        self.set_creation_date(sheet.receipt.at)
        moment = sheet.receipt.at.isoformat(timespec="seconds")
        self.set_xmp_metadata(_XMP.format(at=moment, title=escape(str(self.title))))

    def footer(self) -> None:
        """Number the pages."""
        self.set_y(-14)
        self.ink(8, colour=_SOFT)
        self.cell(0, 5, f"{self.called}, page {self.page_no()} of {{nb}}", align="C")

    def ink(self, size: float, *, bold: bool = False, colour: tuple[int, int, int] = _INK) -> None:
        """Choose size, weight and colour of what is written next."""
        self.set_font("Inter", "B" if bold else "", size)
        self.set_text_color(*colour)

    def said(self, text: str) -> str:
        """Return a text in letters that this paper has."""
        spelt = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\t", " "))
        shown = "".join(
            one if one == "\n" or ord(one) in self.letters else _UNKNOWN
            for one in spelt
            if one == "\n" or unicodedata.category(one) not in _UNSEEN
        )
        self.unknown = self.unknown or shown.count(_UNKNOWN) > text.count(_UNKNOWN)
        return shown

    def text_block(self, text: str, *, height: float = 5.2) -> None:
        """Write a paragraph, keeping its lines."""
        self.multi_cell(0, height, self.said(text), align="L", new_x="LMARGIN", new_y="NEXT")

    def head(self, sheet: Sheet) -> None:
        """Write what was decided, and above it whether it still matches."""
        self.ink(9, colour=_SOFT)
        self.text_block(f"{sheet.project.reference}  {sheet.project.title}")
        self.ink(20, bold=True)
        self.text_block(sheet.title, height=10)
        self.ln(1.5)
        if sheet.faults:
            self.warning(sheet.faults)
        self.ink(12.5)
        self.text_block(sheet.receipt.meaning, height=6.6)
        self.ln(3)

    def warning(self, faults: tuple[str, ...]) -> None:
        """Say in red what no longer matches."""
        self.set_draw_color(*_TONES["danger"])
        self.ink(10, bold=True, colour=_TONES["danger"])
        said = "This is no longer what was written. " + " ".join(
            f"{one[:1].upper()}{one[1:]}" for one in faults
        )
        self.multi_cell(
            0, 5.4, self.said(said), border=1, align="L", padding=3, new_x="LMARGIN", new_y="NEXT"
        )
        self.ln(4)

    def chapter(self, title: str) -> None:
        """Begin a part; never at the very foot of a page."""
        if self.will_page_break(26):
            self.add_page()
        self.ln(4)
        self.set_draw_color(*_LINE)
        self.line(_MARGIN, self.get_y(), self.w - _MARGIN, self.get_y())
        self.ln(3)
        self.ink(12, bold=True)
        self.text_block(title, height=7)
        self.ln(0.5)

    def rows(self, lines: "tuple[tuple[str, str], ...] | list[tuple[str, str]]") -> None:
        """Write label and text, line by line."""
        for label, text in lines:
            self.row(label, text)

    def row(self, label: str, text: str, *, size: float = 9.5) -> None:
        """Write a label on the left and its text on the right."""
        if self.will_page_break(11):
            self.add_page()
        top, page = self.get_y(), self.page_no()
        self.ink(8.5, colour=_SOFT)
        self.multi_cell(_LABEL - 3, 5, self.said(label), align="L", new_x="LMARGIN", new_y="NEXT")
        below = self.get_y() if self.page_no() == page else top
        if self.page_no() == page:
            self.set_y(top)
        self.set_x(_MARGIN + _LABEL)
        self.ink(size)
        self.multi_cell(0, 5, self.said(text) or NO_VALUE, align="L", new_x="LMARGIN", new_y="NEXT")
        if self.page_no() == page:
            self.set_y(max(below, self.get_y()))
        self.ln(0.8)

    def finding(self, finding: Told) -> None:
        """Write a requirement, its result, and what it needed and what there was."""
        if self.will_page_break(12):
            self.add_page()
        self.ink(9.5, bold=True)
        self.text_block(finding.message, height=5)
        self.ink(8.5, bold=True, colour=_TONES[finding.tone])
        self.text_block(finding.result, height=4.6)
        self.ink(8.5, colour=_SOFT)
        for one in finding.needed:
            self.text_block(_in_words(one), height=4.6)
        if finding.concerns:
            self.text_block(f"Concerns: {', '.join(finding.concerns)}", height=4.6)
        self.ln(1.6)

    def proof(self, sheet: Sheet) -> None:
        """Write the fingerprints, and what to do with them."""
        sealed = sheet.looked.sealed
        self.ink(9)
        self.text_block(
            "The file receipt.json is inside this PDF: everything that is hashed, and the rules. Anybody checks it "
            "with verify.py, which comes with each export of the record, with no key and no access: "
            "python3 verify.py THIS.pdf",
            height=4.8,
        )
        self.ln(1.5)
        lines = [("Receipt", sheet.looked.receipt["hash"]), ("Content", sheet.digest)]
        if sheet.said is not None:
            lines[1:] = [("Content signed", sheet.said.digest)]
        lines.append(("Rules", sheet.rules.sha256))
        if sealed is not None:
            lines += [
                ("Place in the record", f"Row {sealed.seq}"),
                ("Hash of the row", sealed.hash),
                ("Hash before it", sealed.previous),
            ]
        else:
            lines.append(
                ("Place in the record", "None: it was written before receipts were sealed.")
            )
        for label, text in lines:
            self.row(label, text, size=8.5)
        if self.unknown:
            self.ink(8, colour=_SOFT)
            self.text_block(
                "□ stands for a letter that this paper cannot draw. The file inside has it.",
                height=4.4,
            )

    def finished(self, sheet: Sheet) -> bytes:
        """Put the proof inside and return the whole file."""
        self.embed_file(
            bytes=canonical_json(file_of(sheet)).encode(),
            basename="receipt.json",
            mime_type="application/json",
            associated_file_relationship="Data",
            desc="The receipt, all that it stands on, and its place in the record",
            creation_date=sheet.receipt.at,
            modification_date=sheet.receipt.at,
            compress=True,
        )
        return bytes(self.output())


def _in_words(one: Needed) -> str:
    return f"{one.label}: needed {one.needed}, had {one.had}"
