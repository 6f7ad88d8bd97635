// Keeps a part of a page true while somebody looks at it: every half minute (or as often as it says itself), on coming
// back to the tab, after a save. The server answers "nothing new" without sending it again.
const EVERY = 30_000;
const TICK = 5_000;

const began = Date.now();
const asked = new WeakMap();

async function refresh(place) {
  if (place.dataset.asking) return;
  place.dataset.asking = "1";
  asked.set(place, Date.now());
  try {
    const answer = await fetch(place.dataset.live, {
      // The server does not count this as somebody being there: a tab left open signs out in time.
      headers: { "If-None-Match": `"${place.dataset.mark}"`, "X-By-Itself": "1" },
      credentials: "same-origin",
      redirect: "manual",
    });
    if (answer.status === 200) show(place, await answer.text(), answer.headers.get("ETag"));
  } catch {
    // No connection: the panel stays as it is, and the next time may find one.
  } finally {
    delete place.dataset.asking;
  }
}

function show(place, html, mark) {
  const open = new Set([...place.querySelectorAll("details[open] > summary")].map(nameOf));
  const focused = place.contains(document.activeElement) ? keyOf(document.activeElement) : "";
  place.innerHTML = html;
  place.dataset.mark = (mark ?? "").replaceAll(/^W\/|"/g, "");
  for (const summary of place.querySelectorAll("details > summary")) {
    if (open.has(nameOf(summary))) summary.parentElement.open = true;
  }
  if (focused) [...place.querySelectorAll("a, button, summary")].find((one) => keyOf(one) === focused)?.focus();
  const said = document.querySelector("[data-live-said]");
  if (said) said.textContent = [...place.querySelectorAll(".gate-line")].map((line) => line.textContent.trim()).join(" ");
}

// A count in a summary may change, its words do not.
const nameOf = (summary) => summary.textContent.replaceAll(/[\d\s]+/g, " ").trim();
const keyOf = (one) => [one.tagName, one.getAttribute("href"), one.getAttribute("formaction"), one.value, nameOf(one)].join("|");

function refreshAll() {
  if (document.visibilityState !== "visible") return;
  for (const place of document.querySelectorAll("[data-live]")) refresh(place);
}

function refreshDue() {
  if (document.visibilityState !== "visible") return;
  for (const place of document.querySelectorAll("[data-live]")) {
    // A timer may come a little early: what is due in half a tick is due.
    if (Date.now() - (asked.get(place) ?? began) >= Number(place.dataset.liveEvery ?? EVERY) - TICK / 2) refresh(place);
  }
}

setInterval(refreshDue, TICK);
document.addEventListener("visibilitychange", refreshAll);
document.addEventListener("okrgate:saved", refreshAll);
