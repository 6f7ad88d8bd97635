// Keeps what is typed as a draft, a second after the last key and when the page is left. It is never a save.
import * as kept from "./kept.js";

const PAUSE = 1000;
const LONGEST_BEACON = 60_000;
const SIGNED_OUT = 401;
const CONFLICT = 409;
const REFUSED = 403;

let timer = 0;
let dirty = false;
let stopped = false;

// While drafts keep themselves no button has to: css/okrgate.css hides it.
const stop = () => {
  stopped = true;
  document.body.classList.remove("keeps-drafts");
};
let running = null;

const form = () => document.querySelector("form[data-draft]");
const path = () => new URL(form().action).pathname;
const typed = () => new URLSearchParams(new FormData(form())).toString();

const say = (...parts) => {
  const region = document.querySelector(".draft-state");
  region?.replaceChildren(...parts);
};

const link = (text, href) => {
  const made = document.createElement("a");
  made.href = href;
  made.textContent = text;
  return made;
};

const button = (text, act) => {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "btn btn-quiet btn-small";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
};

// The answer is a sentence of ours, written by a template.
const sayAnswer = async (answer) => {
  const made = new DOMParser().parseFromString(await answer.text(), "text/html");
  say(...made.body.childNodes);
};

const send = (body, keepalive) =>
  fetch(form().dataset.draft, {
    method: "POST",
    body,
    keepalive,
    redirect: "manual",
    headers: {
      "Content-Type": "application/x-www-form-urlencoded",
      "HX-Request": "true",
    },
  });

const keepHere = (body, ...sentence) => {
  dirty = true;
  if (kept.put(path(), body)) {
    say(...sentence);
  } else {
    say("This could not be kept. Copy your text before you leave this page.");
  }
};

const signInAgain = () => {
  const here = encodeURIComponent(location.pathname + location.search);
  return link("Sign in again", `/sign-in?next=${here}`);
};

const take = async (answer, body) => {
  if (answer.ok) {
    kept.drop(path());
    await sayAnswer(answer);
  } else if (answer.status === CONFLICT) {
    stop();
    await sayAnswer(answer);
  } else if (answer.status === SIGNED_OUT) {
    keepHere(body, "You are signed out. What you typed is kept in this browser. ", signInAgain());
  } else if (answer.status === REFUSED) {
    stop();
    say("This part cannot be changed any more, so your text is no longer kept. Copy what you need.");
  } else {
    keepHere(body, "The server does not answer. What you typed is kept in this browser.");
  }
};

const flush = async (leaving = false) => {
  clearTimeout(timer);
  if (!form() || !dirty || stopped) return;
  // One at a time: an older text must not arrive after a newer one.
  if (running && !leaving) await running;
  const body = typed();
  dirty = false;
  if (leaving && body.length > LONGEST_BEACON) {
    kept.put(path(), body);
    return;
  }
  running = send(body, leaving)
    .then((answer) => take(answer, body))
    .catch(() => {
      dirty = true;
      // Going to another page ends the wait for an answer, not the sending.
      if (leaving && navigator.onLine) return;
      keepHere(body, "There is no connection. What you typed is kept in this browser.");
    })
    .finally(() => {
      running = null;
    });
  await running;
};

const changed = (event) => {
  if (!form()?.contains(event.target) || stopped) return;
  dirty = true;
  clearTimeout(timer);
  timer = setTimeout(flush, PAUSE);
};

// A text that stayed in this browser becomes the draft, and the page shows it as it shows every draft.
const putBack = async () => {
  const text = form() && kept.get(path());
  if (!text) return;
  const body = new URLSearchParams(text);
  body.set("csrf_token", new FormData(form()).get("csrf_token") ?? "");
  const bring = async () => {
    const answer = await send(body, false).catch(() => null);
    if (answer?.ok) {
      kept.drop(path());
      stopped = true;
      location.replace(form().action + location.search);
    } else if (answer?.status === CONFLICT) {
      const mine = new FormData(form());
      for (const name of ["draft_tab", "began_with", "base_version"]) body.set(name, mine.get(name));
      say(
        "This browser still has a text you typed here before. A newer one is shown. ",
        button("Show the one of this browser", bring),
        button("Forget it", () => {
          kept.drop(path());
          say();
        }),
      );
    }
  };
  await bring();
};

const start = () => {
  kept.dropOthers();
  document.body.classList.add("keeps-drafts");
  document.addEventListener("input", changed);
  document.addEventListener("change", changed);
  document.addEventListener("visibilitychange", () => {
    flush(document.visibilityState === "hidden");
  });
  addEventListener("pagehide", () => flush(true));
  addEventListener("online", () => flush());
  // What comes out of the browser's own memory may be older than the draft.
  addEventListener("pageshow", (event) => {
    if (event.persisted && form()) location.reload();
  });
  // Rows that were put in or taken out are typing too; what else is drawn anew is not.
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx?.target?.id !== "page-form" || !form()) return;
    dirty = true;
    clearTimeout(timer);
    timer = setTimeout(flush, PAUSE);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.action.endsWith("/sign-out")) kept.dropAll();
    if (event.target !== form()) return;
    clearTimeout(timer);
    dirty = false;
    kept.drop(path());
  });
  putBack();
};

if (kept.person()) start();
