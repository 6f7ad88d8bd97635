// Checks a text of rules while it is typed: 400 ms after the last key, first quickly, then with every proof.
// Only the newest text counts. Without this the button Check finds the same.
const PAUSE = 400;
const area = document.querySelector('.code-form textarea[name="text"]');
const beside = document.querySelector(".live-check");

if (area && beside) {
  const said = beside.querySelector('[role="status"]');
  const list = beside.querySelector(".live-found");
  let timer = 0;
  let asked = null;
  let checked = null;

  const show = async (answer) => {
    const made = new DOMParser().parseFromString(await answer.text(), "text/html");
    const words = made.querySelector(".live-said")?.textContent.trim() ?? "";
    // Said only when it changes: whoever listens is not interrupted at every pause.
    if (said.textContent !== words) said.textContent = words;
    list.replaceChildren(...(made.querySelector(".live-list")?.children ?? []));
    beside.classList.toggle("live-is-wrong", words.startsWith("No ") === false);
    document.dispatchEvent(new CustomEvent("rules:checked", { detail: list }));
  };

  const ask = async (text, quick, signal) => {
    const body = new URLSearchParams({ text });
    if (quick) body.set("quick", "1");
    body.set("csrf_token", area.form.elements.csrf_token?.value ?? "");
    const answer = await fetch(beside.dataset.check, { method: "POST", body, signal, redirect: "manual" });
    if (answer.status === 200) await show(answer);
    else if (answer.status !== 204) said.textContent = "The check does not answer. The button Check may say why.";
    return answer.status === 200;
  };

  const check = async () => {
    const text = area.value;
    if (text === checked) return;
    asked?.abort();
    const mine = new AbortController();
    asked = mine;
    if (beside.hidden) said.textContent = "Checking";
    beside.hidden = false;
    beside.classList.add("live-is-busy");
    try {
      const isNewest = await ask(text, true, mine.signal);
      if (isNewest) await ask(text, false, mine.signal);
      checked = text;
    } catch (problem) {
      if (problem.name !== "AbortError") said.textContent = "There is no connection, so nothing is checked.";
    } finally {
      if (asked === mine) beside.classList.remove("live-is-busy");
    }
  };

  area.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(check, PAUSE);
  });
}
