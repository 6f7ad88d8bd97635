// A button that changes part of a page, refused: send its form as without scripts, so that the answer is a whole page.
// That page keeps what was typed, whoever has to sign in again.
document.addEventListener("htmx:response:error", (event) => {
  const { sourceElement, response } = event.detail.ctx;
  const status = response?.status ?? response?.raw?.status ?? 0;
  const isButton = sourceElement instanceof HTMLButtonElement && sourceElement.form;
  if (!isButton || status === 409 || status === 422) return;
  sourceElement.form.requestSubmit(sourceElement);
});
