// Keys for those who like them. They only lead somewhere: no key ever saves, signs or sends.
// "?" lists them and turns them off on this device; a key typed in a field, or with Ctrl, Alt or Meta, is left alone.
const OFF = "okrgate-keys-off";
const PLACES = { w: ["My work", "/"], p: ["Projects", "/projects"], a: ["Approvals", "/approvals"], o: ["Overview", "/overview"], i: ["Inbox", "/inbox"] };
const WRITING = "input, textarea, select, [contenteditable]";
const STEPS = "main .worklist a, main .queue h2 a, main tbody th a";
let waiting = 0;

const off = () => localStorage.getItem(OFF) === "1";

function search() {
  const box = document.querySelector("main input[type=search]");
  if (box) box.focus();
  else location.assign("/projects");
}

function step(by) {
  const links = [...document.querySelectorAll(STEPS)].filter((link) => link.offsetParent);
  const here = links.indexOf(document.activeElement);
  links[Math.min(Math.max(here + by, 0), links.length - 1)]?.focus();
}

function row(keys, words) {
  const line = document.createElement("div");
  const term = document.createElement("dt");
  const said = document.createElement("dd");
  for (const key of keys) term.append(Object.assign(document.createElement("kbd"), { textContent: key }), " ");
  said.textContent = words;
  line.append(term, said);
  return line;
}

function help() {
  const known = document.getElementById("keys");
  if (known) return known.showModal();
  const dialog = Object.assign(document.createElement("dialog"), { id: "keys", className: "keys" });
  const title = Object.assign(document.createElement("h2"), { id: "keys-title", textContent: "Keys" });
  dialog.setAttribute("aria-labelledby", title.id);
  const list = document.createElement("dl");
  list.append(row(["/"], "Search"), row(["j"], "Next in a list"), row(["k"], "Previous in a list"));
  for (const [key, [words]] of Object.entries(PLACES)) list.append(row(["g", key], words));
  list.append(row(["?"], "This list"));
  const turn = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-quiet" });
  const say = () => (turn.textContent = off() ? "Turn the other keys on" : "Turn all keys but ? off on this device");
  say();
  turn.addEventListener("click", () => {
    localStorage.setItem(OFF, off() ? "0" : "1");
    say();
  });
  const close = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-primary", textContent: "Close" });
  close.addEventListener("click", () => dialog.close());
  const buttons = Object.assign(document.createElement("p"), { className: "cluster" });
  buttons.append(close, turn);
  dialog.append(title, list, buttons);
  document.body.append(dialog);
  return dialog.showModal();
}

function act(key) {
  if (Date.now() - waiting < 1500 && PLACES[key]) location.assign(PLACES[key][1]);
  else if (key === "g") {
    waiting = Date.now();
    return;
  } else if (key === "/") search();
  else if (key === "j" || key === "k") step(key === "j" ? 1 : -1);
  else return;
  waiting = 0;
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  if (event.target.closest?.(WRITING) || document.querySelector("dialog[open]")) return;
  if (event.key === "?") help();
  else if (off() || !act(event.key)) return;
  event.preventDefault();
});
