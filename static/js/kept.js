// Texts that could not be sent stay in this browser, by person and page, until they are.
const PREFIX = "okrgate-text:";
export const person = () => document.body.dataset.person ?? "";
const keyOf = (path) => `${PREFIX}${person()}:${path}`;

const keys = () => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));

// Storage may be full or switched off: then a text is only on the page, as it would be without scripts.
const attempt = (act) => {
  try {
    return act() ?? null;
  } catch {
    return null;
  }
};

export const put = (path, text) =>
  attempt(() => {
    localStorage.setItem(keyOf(path), text);
    return true;
  });
export const get = (path) => attempt(() => localStorage.getItem(keyOf(path)));
export const drop = (path) => attempt(() => localStorage.removeItem(keyOf(path)));

export const dropAll = () => attempt(() => keys().forEach((key) => localStorage.removeItem(key)));

// A shared computer: what somebody else left is not for whoever signs in next.
export const dropOthers = () =>
  attempt(() =>
    keys()
      .filter((key) => !key.startsWith(`${PREFIX}${person()}:`))
      .forEach((key) => localStorage.removeItem(key)),
  );
