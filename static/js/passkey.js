// Makes a passkey, or asks for one, and sends the form with the answer. Without this file people type codes.
const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const known = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

const make = async (options) => {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: known(options.excludeCredentials),
    },
  });
  const { clientDataJSON, attestationObject } = made.response;
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response: { clientDataJSON: text(clientDataJSON), attestationObject: text(attestationObject) },
  };
};

const show = async (options) => {
  const shown = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: known(options.allowCredentials),
    },
  });
  const { clientDataJSON, authenticatorData, signature } = shown.response;
  return {
    id: shown.id,
    rawId: text(shown.rawId),
    type: shown.type,
    response: {
      clientDataJSON: text(clientDataJSON),
      authenticatorData: text(authenticatorData),
      signature: text(signature),
    },
  };
};

const sentences = {
  NotAllowedError: "No passkey was used. Try again when you are ready.",
  InvalidStateError: "This device has a passkey for okrgate already.",
};

for (const place of document.querySelectorAll("[data-passkey]")) {
  const form = place.closest("form");
  const button = place.querySelector("button");
  const trouble = place.querySelector("[role=alert]");
  const act = place.dataset.passkey === "create" ? make : show;
  if (!window.PublicKeyCredential) continue;
  place.hidden = false;
  button.addEventListener("click", async () => {
    // The name of a new one is asked for first.
    if (place.dataset.passkey === "create" && !form.reportValidity()) return;
    trouble.textContent = "";
    button.disabled = true;
    try {
      const answer = await act(JSON.parse(place.dataset.options));
      form.elements.factor_passkey.value = JSON.stringify(answer);
      form.submit();
    } catch (problem) {
      trouble.textContent = sentences[problem.name] ?? "Your browser could not do this.";
      button.disabled = false;
    }
  });
}
