// A choice that changes what else can be chosen is sent at once; without this, its "Update" button does the same.
document.documentElement.classList.add("reshapes");
document.addEventListener("change", (event) => {
  const reshapes = event.target instanceof HTMLSelectElement && event.target.dataset.reshapes;
  if (!reshapes) return;
  const button = document.getElementById(reshapes);
  button?.form?.requestSubmit(button);
});
