// Puts an editor over the text of rules: colours, completed words, errors on their lines. The text itself stays in its
// field, which every other script and the server read; without this it is typed there.
const area = document.querySelector('.code-form textarea[name="text"]');
const beside = document.querySelector(".live-check");
const { CodeMirror } = globalThis;
const MOST_WORDS = 60;
// After these a name is wanted, so it is offered at once.
const WANTS_NAME = /(?:fact|role|in|of|to|from|gate|by|exclude|transition|fixture|fix|never|edit):\s*\[?[\w.$, -]*$/;

const wordsOf = (text) => new Set(text.match(/[A-Za-z_$][\w.-]{2,}/g));

const begin = () => {
  const known = JSON.parse(beside?.dataset.words ?? "[]");
  const label = document.querySelector(`label[for="${area.id}"]`);
  const editor = CodeMirror.fromTextArea(area, {
    mode: "yaml",
    lineNumbers: true,
    tabSize: 2,
    indentUnit: 2,
    inputStyle: "contenteditable",
    // Tab leaves the text, as it leaves every field.
    extraKeys: { Tab: false, "Shift-Tab": false, "Ctrl-Space": () => complete() },
  });
  const field = editor.getInputField();
  field.setAttribute("role", "textbox");
  field.setAttribute("aria-multiline", "true");
  field.setAttribute("aria-label", label?.textContent.trim() ?? "");
  label?.addEventListener("click", () => editor.focus());

  const hint = () => {
    const at = editor.getCursor();
    const before = editor.getLine(at.line).slice(0, at.ch);
    const typed = before.match(/[\w.$-]*$/)[0];
    const own = [...wordsOf(editor.getValue())].map((word) => [word, ""]);
    const offered = new Map([...own, ...known]);
    offered.delete(typed);
    const all = [...known, ...own].filter(([word]) => offered.has(word) && offered.delete(word));
    const starting = all.filter(([word]) => word.startsWith(typed));
    const within = all.filter(([word]) => !word.startsWith(typed) && word.includes(typed));
    const list = [...starting, ...within].slice(0, MOST_WORDS).map(([text, said]) => ({
      text,
      displayText: said ? `${text} – ${said}` : text,
    }));
    return { list, from: { line: at.line, ch: at.ch - typed.length }, to: at };
  };
  const complete = () => editor.showHint({ hint, completeSingle: false });

  editor.on("inputRead", (_, change) => {
    const at = editor.getCursor();
    const before = editor.getLine(at.line).slice(0, at.ch);
    if (!editor.state.completionActive && /[\w.$]/.test(change.text[0]) && WANTS_NAME.test(before)) complete();
  });
  editor.on("changes", () => {
    editor.save();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
  // What the browser remembers of a form it puts into the field, not into the editor.
  addEventListener("pageshow", () => {
    if (area.value !== editor.getValue()) editor.setValue(area.value);
  });

  const goTo = (line) => {
    const place = { line: line - 1, ch: 0 };
    editor.focus();
    editor.setSelection(place, { line: line - 1, ch: (editor.getLine(line - 1) ?? "").length }, { scroll: false });
    editor.scrollIntoView(place, editor.getScrollInfo().clientHeight / 3);
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#']");
    const line = link?.hash.match(/^#line-(\d+)$/);
    if (!line && link?.hash !== `#${area.id}`) return;
    event.preventDefault();
    if (line) goTo(Number(line[1]));
    else editor.focus();
  });
  const wanted = Number(new URLSearchParams(location.search).get("line"));
  if (wanted > 0) goTo(wanted);

  let marked = [];
  document.addEventListener("rules:checked", (event) => {
    for (const [line, kind] of marked) editor.removeLineClass(line, "background", kind);
    marked = [...event.detail.querySelectorAll("[data-line]")].map((found) => {
      const kind = found.dataset.severity === "error" ? "code-wrong" : "code-warned";
      return [editor.addLineClass(Number(found.dataset.line) - 1, "background", kind), kind];
    });
  });
};

if (area && CodeMirror) begin();
