// Numbers beside the lines of a text of rules, kept level with it. Without this the check names lines all the same.
const area = document.querySelector('.code-form textarea[name="text"]');
// The editor has its own.
if (area && !globalThis.CodeMirror) {
  const holder = document.createElement("div");
  holder.className = "code-holder";
  const gutter = document.createElement("pre");
  gutter.className = "code-gutter";
  gutter.setAttribute("aria-hidden", "true");
  area.before(holder);
  holder.append(gutter, area);
  let shown = 0;
  const number = () => {
    const lines = area.value.split("\n").length;
    if (lines !== shown) {
      shown = lines;
      gutter.textContent = Array.from({ length: lines }, (_, place) => place + 1).join("\n");
    }
    gutter.style.setProperty("height", `${area.offsetHeight}px`);
    gutter.scrollTop = area.scrollTop;
  };
  area.addEventListener("input", number);
  area.addEventListener("scroll", () => { gutter.scrollTop = area.scrollTop; });
  new ResizeObserver(number).observe(area);
  const goTo = (wanted) => {
    const lines = area.value.split("\n");
    const start = lines.slice(0, wanted - 1).reduce((sum, line) => sum + line.length + 1, 0);
    area.focus();
    area.setSelectionRange(start, start + (lines[wanted - 1] ?? "").length);
    area.scrollTop = Math.max(0, (wanted - 6) * parseFloat(getComputedStyle(area).lineHeight));
    gutter.scrollTop = area.scrollTop;
  };
  // A link to a line also puts the cursor there.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#line-"]');
    if (!link) return;
    event.preventDefault();
    goTo(Number(link.hash.slice(6)));
  });
  const asked = Number(new URLSearchParams(location.search).get("line"));
  if (asked > 0) goTo(asked);
}
