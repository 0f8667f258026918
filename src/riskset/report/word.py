"""The report as a Word file: native tables that can be edited, figures at 600 dpi, the same bytes for the same input.

Tables are written as WordprocessingML at once: python-docx builds them cell by cell, a hundred times slower. All text
passes through `_escaped`, so that nothing a hospital wrote becomes markup or a field.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from riskset.report import _heavy
from riskset.report.drawing import Drawn
from riskset.report.tablemodel import Block, Bullets, Document, Figure, Inline, Line, Paragraph, Table, plain, printable

_NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_FONT = "Arial"
# A4 less margins of 18 mm, in twentieths of a point.
_PAGE_WIDTH, _PAGE_HEIGHT, _MARGIN = 11906, 16838, 1021
_TEXT_WIDTH = _PAGE_WIDTH - 2 * _MARGIN
_EMU = 914400
# Files carry no time of writing: two runs give the same bytes.
_MOMENT = datetime(2000, 1, 1)
_RAISED = '<w:vertAlign w:val="superscript"/>'
# Lines of a table that a page is not allowed to break.
_SHORT = 22
_ALIGN = {"l": "left", "c": "center", "r": "right"}


def _escaped(text: str) -> str:
    return escape(printable(text))


def _run(text: str, properties: str = "") -> str:
    if not text:
        return ""
    inside = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    lines = (f'<w:t xml:space="preserve">{_escaped(line)}</w:t>' for line in text.split("\n"))
    return f"<w:r>{inside}{'<w:br/>'.join(lines)}</w:r>"


def _runs(parts: Inline, properties: str = "") -> str:
    """Give the runs of some text: neighbours that look alike are one, so that a number is edited whole."""
    found: list[tuple[str, str]] = []
    for part in parts:
        look = ("<w:b/>" if part.strong and "<w:b/>" not in properties else "") + properties
        if found and found[-1][1] == look:
            found[-1] = (found[-1][0] + part.text, look)
        else:
            found.append((part.text, look))
        if part.mark:
            found.append((part.mark, look + _RAISED))
    return "".join(_run(text, look) for text, look in found)


def _paragraph(runs: str, style: str, properties: str = "") -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{properties}</w:pPr>{runs}</w:p>'


def _caption(number: str, title: str) -> str:
    return _paragraph(_run(f"{number}. ", "<w:b/>") + _run(title), "RCaption", "<w:keepNext/>")


def _widths(table: Table) -> list[int]:
    """Share the page's width among the columns by the length of their longest words and texts."""
    columns: list[list[str]] = [[] for _ in range(table.width)]
    for line in table.lines:
        if line.kind != "section":
            for k, cell in enumerate(line.cells[: table.width]):
                columns[k].extend(part + "  " * line.indent * (k == 0) for part in plain(cell).split("\n"))
    for k, heading in enumerate(table.headings[-1]):
        columns[k].extend(plain(heading.text).split("\n"))
    needs: list[float] = []
    for texts in columns:
        word = max((len(w) for text in texts for w in text.split()), default=1)
        longest = sorted(len(text) for text in texts)
        needs.append(max(word + 1.5, min(longest[int(0.9 * (len(longest) - 1))], 42)) + 2.0)
    whole = sum(needs)
    return [int(_TEXT_WIDTH * need / whole) for need in needs]


def _cell(
    runs: str, width: int, align: str, *, span: int = 1, below: str = "", indent: int = 0, keep: bool = False
) -> str:
    properties = f'<w:tcW w:w="{width}" w:type="dxa"/>' + (f'<w:gridSpan w:val="{span}"/>' if span > 1 else "")
    if below:
        properties += (
            f'<w:tcBorders><w:bottom w:val="single" w:sz="{below}" w:space="0" w:color="1A1A1A"/></w:tcBorders>'
        )
    shape = ("<w:keepNext/>" if keep else "") + (f'<w:ind w:left="{indent * 160}"/>' if indent else "")
    shape += f'<w:jc w:val="{_ALIGN[align]}"/>'
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{_paragraph(runs, 'RCell', shape)}</w:tc>"


def _row(cells: str, *, header: bool = False) -> str:
    repeated = "<w:tblHeader/>" if header else ""
    return f"<w:tr><w:trPr><w:cantSplit/>{repeated}</w:trPr>{cells}</w:tr>"


def _head(table: Table, widths: list[int]) -> str:
    rows = []
    for k, headings in enumerate(table.headings):
        last = k == len(table.headings) - 1
        cells, at = [], 0
        for heading in headings:
            width = sum(widths[at : at + heading.span])
            align = "l" if at == 0 else table.alignment[at] if heading.span == 1 else "c"
            below = "6" if last else "4" if heading.span > 1 else ""
            cells.append(_cell(_runs(heading.text, "<w:b/>"), width, align, span=heading.span, below=below, keep=True))
            at += heading.span
        rows.append(_row("".join(cells), header=True))
    return "".join(rows)


def _line(table: Table, line: Line, widths: list[int], *, keep: bool) -> str:
    if line.kind == "section":
        return _row(_cell(_runs(line.cells[0], "<w:b/>"), sum(widths), "l", span=table.width, keep=True))
    cells = [
        _cell(_runs(cell), widths[k], table.alignment[k], indent=line.indent if k == 0 else 0, keep=keep)
        for k, cell in enumerate(line.cells)
    ]
    return _row("".join(cells))


def _body(table: Table, widths: list[int]) -> str:
    """Give the lines; a short table stays on one page, and the last line of any with its notes."""
    last, short = len(table.lines) - 1, len(table.lines) <= _SHORT
    noted = bool(table.notes or table.footnotes)
    return "".join(
        _line(table, line, widths, keep=(short and k < last) or (noted and k == last))
        for k, line in enumerate(table.lines)
    )


def _table(table: Table) -> str:
    widths = _widths(table)
    edge = '<w:{0} w:val="single" w:sz="12" w:space="0" w:color="1A1A1A"/>'
    margins = "".join(f'<w:{side} w:w="40" w:type="dxa"/>' for side in ("left", "right"))
    properties = (
        f'<w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/>'
        f"<w:tblBorders>{edge.format('top')}{edge.format('bottom')}</w:tblBorders>"
        f'<w:tblLayout w:type="fixed"/><w:tblCellMar>{margins}</w:tblCellMar>'
        f"<w:tblCaption w:val={quoteattr(printable(table.title))}/></w:tblPr>"
    )
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return f"<w:tbl>{properties}<w:tblGrid>{grid}</w:tblGrid>{_head(table, widths)}{_body(table, widths)}</w:tbl>"


_PARAGRAPH_STYLES = {
    "normal": "RText",
    "lead": "RText",
    "absent": "RAbsent",
    "warning": "RWarning",
    "heading": "Heading2",
}


def _block(block: Block) -> str:
    """Give the XML of a block that is no figure."""
    if isinstance(block, Table):
        notes = "".join(_paragraph(_run(note), "RNote") for note in block.notes)
        for letter, note in block.footnotes:
            notes += _paragraph(_run(letter, _RAISED) + _run(f" {note}"), "RNote")
        return _caption(block.number, block.title) + _table(block) + (notes or _paragraph("", "RNote"))
    if isinstance(block, Bullets):
        return "".join(_paragraph(_runs(item), "ListBullet") for item in block.items)
    assert isinstance(block, Paragraph)
    return _paragraph(_runs(block.text), _PARAGRAPH_STYLES[block.style])


def _placeholder(number: int) -> bytes:
    """Give the smallest file that python-docx takes for a picture; each number another one, else it keeps only one."""
    head = b"IHDR" + struct.pack(">IIBBBBB", number, 1, 1, 0, 0, 0, 0)
    chunks = (head, b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks
    )


class _Writer:
    """Puts blocks into a python-docx document."""

    def __init__(self) -> None:
        self.document: Any = _heavy.docx().Document()
        self._parse = _heavy.load("docx.oxml").parse_xml
        body = self.document.element.body
        for child in [c for c in body if not c.tag.endswith("}sectPr")]:
            body.remove(child)
        self._end = body[-1]
        # Name of an image in the package -> figure whose picture it will hold.
        self.places: dict[str, str] = {}

    def add(self, xml: str) -> None:
        """Add elements before the section properties that end the body."""
        for element in self._parse(f'<w:body xmlns:w="{_NAMESPACE}">{xml}</w:body>'):
            self._end.addprevious(element)

    def figure(self, figure: Figure, drawn: Drawn) -> None:
        """Add a figure with its description and caption; its picture comes in at the very end."""
        width = round(drawn.inches * _EMU)
        height = round(width * drawn.height / drawn.width)
        part = self.document.part
        inline = part.new_pic_inline(BytesIO(_placeholder(len(self.places) + 1)), width, height)
        image = part.related_parts[inline.graphic.graphicData.pic.blipFill.blip.embed]
        self.places[str(image.partname).lstrip("/")] = figure.id
        inline.docPr.set("descr", printable(figure.alternative))
        inline.docPr.set("title", printable(f"{figure.number}. {figure.title}"))
        paragraph = self._parse(
            f'<w:p xmlns:w="{_NAMESPACE}"><w:pPr><w:pStyle w:val="RText"/><w:keepNext/><w:jc w:val="center"/></w:pPr>'
            "<w:r><w:drawing/></w:r></w:p>"
        )
        paragraph[-1][-1].append(inline)
        self._end.addprevious(paragraph)
        notes = " ".join((figure.title, *figure.notes))
        self.add(_paragraph(_run(f"{figure.number}. ", "<w:b/>") + _run(notes), "RCaption"))


def _styles(document: Any) -> None:
    """Define the paragraph styles of the report: an editor changes them once for all tables."""
    shared, enum = _heavy.load("docx.shared"), _heavy.load("docx.enum.style")
    for name in ("Normal", "Heading 1", "Heading 2", "Title", "List Bullet"):
        style = document.styles[name]
        style.font.name = _FONT
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for key in [k for k in fonts.attrib if "Theme" in k or "theme" in k]:
            del fonts.attrib[key]
        fonts.set(f"{{{_NAMESPACE}}}eastAsia", _FONT)
        style.font.color.rgb = shared.RGBColor(0x1A, 0x1A, 0x1A)
    sizes = {"Normal": 10, "Heading 1": 14, "Heading 2": 11, "Title": 18, "List Bullet": 10}
    for name, size in sizes.items():
        document.styles[name].font.size = shared.Pt(size)
    own = (("RText", 10, 0, 6), ("RCaption", 9, 8, 4), ("RCell", 7.5, 1, 1), ("RNote", 7.5, 2, 6),
           ("RAbsent", 10, 0, 6), ("RWarning", 10, 4, 8))  # fmt: skip
    for name, points, before, after in own:
        style = document.styles.add_style(name, enum.WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = document.styles["Normal"]
        style.font.size = shared.Pt(points)
        style.paragraph_format.space_before = shared.Pt(before)
        style.paragraph_format.space_after = shared.Pt(after)
    document.styles["RAbsent"].font.italic = True
    document.styles["RWarning"].font.bold = True
    rules = document.styles["Title"].element.find(f"{{{_NAMESPACE}}}pPr/{{{_NAMESPACE}}}pBdr")
    if rules is not None:
        rules.getparent().remove(rules)


def _field(code: str) -> str:
    return (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r><w:instrText xml:space="preserve"> {code} </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>1</w:t></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


def _edges(writer: _Writer, document: Document) -> None:
    """Set the page, its header (simulated patients are named on every page) and its footer."""
    section = writer.document.sections[0]
    shared, parse = _heavy.load("docx.shared"), _heavy.load("docx.oxml").parse_xml
    section.page_width, section.page_height = shared.Twips(_PAGE_WIDTH), shared.Twips(_PAGE_HEIGHT)
    section.left_margin = section.right_margin = shared.Twips(_MARGIN)
    section.top_margin = section.bottom_margin = shared.Twips(_MARGIN + 120)
    banner = " SIMULATED PATIENTS" if document.banner else ""
    stops = "".join(f'<w:tab w:val="clear" w:pos="{place}"/>' for place in (4320, 8640))
    tab = f'<w:tabs>{stops}<w:tab w:val="right" w:pos="{_TEXT_WIDTH}"/></w:tabs>'
    top = _run(document.subtitle) + "<w:r><w:tab/></w:r>" + _run(banner.strip(), "<w:b/>")
    bottom = (
        _run(document.footer)
        + "<w:r><w:tab/></w:r>"
        + _run("Page ")
        + _field("PAGE")
        + _run(" of ")
        + _field("NUMPAGES")
    )
    for part, runs in ((section.header, top), (section.footer, bottom)):
        old = part.paragraphs[0]._p
        text = f'<w:p xmlns:w="{_NAMESPACE}"><w:pPr><w:pStyle w:val="RNote"/>{tab}</w:pPr>{runs}</w:p>'
        old.addprevious(parse(text))
        old.getparent().remove(old)


def _properties(writer: _Writer, document: Document) -> None:
    core = writer.document.core_properties
    core.title, core.subject = printable(document.title)[:255], printable(document.subtitle)[:255]
    core.author = core.last_modified_by = printable(document.authors)[:255] or "riskset"
    core.comments, core.keywords, core.revision = document.banner, "", 1
    core.created = core.modified = core.last_printed = _MOMENT


def document_bytes(
    document: Document, drawn: Mapping[str, Drawn], pictures: Callable[[], Mapping[str, bytes]]
) -> bytes:
    """Give the Word file; `pictures` gives the figures as PNG, and is called last because they take the longest."""
    writer = _Writer()
    _styles(writer.document)
    _edges(writer, document)
    _properties(writer, document)
    opening = _paragraph(_run(document.title), "Title")
    if document.banner:
        opening += _paragraph(_run(document.banner), "RWarning")
    for text in (document.authors, document.note):
        opening += _paragraph(_run(text), "RText") if text else ""
    writer.add(opening)
    for section in document.sections:
        writer.add(_paragraph(_run(section.title), "Heading1"))
        for block in section.blocks:
            if isinstance(block, Figure):
                writer.figure(block, drawn[block.id])
            else:
                writer.add(_block(block))
    raw = BytesIO()
    writer.document.save(raw)
    found = pictures()
    return _repacked(raw.getvalue(), {place: found[name] for place, name in writer.places.items()})


def _repacked(raw: bytes, pictures: Mapping[str, bytes]) -> bytes:
    """Write the package again with fixed times and order and its pictures, which are packed already and are stored."""
    packed = BytesIO()
    with zipfile.ZipFile(BytesIO(raw)) as old, zipfile.ZipFile(packed, "w") as new:
        names = sorted(old.namelist(), key=lambda name: (name != "[Content_Types].xml", name))
        for name in names:
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            new.writestr(entry, pictures[name] if name in pictures else old.read(name))
    return packed.getvalue()
