// Keeps the menu's numbers, the seats and the history true while somebody looks: one short question every half minute,
// none while the tab sleeps. When the project has changed, the page is fetched once more and its parts (data-part, with an
// id) are taken over; one in which somebody has typed or ticked something stays as it is.
const EVERY = 30_000;
// The server does not count these as somebody being there: a tab left open signs out in time.
const options = { headers: { "X-By-Itself": "1" }, credentials: "same-origin", redirect: "manual" };
let asking = false;

async function beat() {
  const { of, seq } = document.body.dataset;
  if (asking || document.visibilityState !== "visible" || !document.body.dataset.person) return;
  asking = true;
  try {
    const answer = await fetch(of ? `/pulse?of=${encodeURIComponent(of)}` : "/pulse", options);
    if (answer.status !== 200) return;
    const now = await answer.json();
    for (const [name, count] of Object.entries(now.badges)) show(name, count);
    if (of && now.seq !== null && String(now.seq) !== seq) await renew(now.seq);
  } catch {
    // No connection: the page stays as it is, and the next time may find one.
  } finally {
    asking = false;
  }
}

function show(name, count) {
  for (const place of document.querySelectorAll(`[data-badge="${name}"]`)) {
    place.hidden = count === 0;
    const number = place.querySelector("[data-number]");
    if (number.textContent !== String(count)) number.textContent = count;
  }
}

async function renew(seq) {
  const answer = await fetch(location.href, options);
  if (answer.status !== 200) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  let changed = false;
  for (const place of document.querySelectorAll("[data-part][id]")) {
    const fresh = page.getElementById(place.id);
    if (!fresh || fresh.innerHTML === place.innerHTML || touched(place)) continue;
    for (const part of place.querySelectorAll("details[open]")) {
      const same = part.id && fresh.querySelector(`#${CSS.escape(part.id)}`);
      if (same) same.open = true;
    }
    place.replaceChildren(...document.importNode(fresh, true).childNodes);
    changed = true;
  }
  document.body.dataset.seq = seq;
  const said = document.querySelector("[data-live-said]");
  if (changed && said) said.textContent = "This page was brought up to date.";
}

const touched = (place) =>
  place.contains(document.activeElement) ||
  [...place.querySelectorAll("input, textarea, select")].some((field) =>
    field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
    : field.options ? [...field.options].some((one) => one.selected !== one.defaultSelected)
    : field.value !== field.defaultValue);

setInterval(beat, EVERY);
document.addEventListener("visibilitychange", beat);
