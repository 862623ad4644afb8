// Light or dark: what the system says, unless the button said otherwise.

const KEY = "recurrentnn-theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function apply(theme) {
  document.documentElement.dataset.theme = theme;
  document.dispatchEvent(new Event("themechange"));
}

export function isDark() {
  const theme = document.documentElement.dataset.theme;
  return theme ? theme === "dark" : system.matches;
}

/** Lets a button switch between the two. */
export function themed(button) {
  const label = () => {
    const other = isDark() ? "light" : "dark";
    button.setAttribute("aria-label", `Switch to the ${other} theme`);
    button.textContent = isDark() ? "☀" : "☾";
  };
  const before = stored();
  if (before === "light" || before === "dark") apply(before);
  label();
  button.addEventListener("click", () => {
    const next = isDark() ? "light" : "dark";
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // A browser that keeps nothing still switches.
    }
    apply(next);
    label();
  });
  system.addEventListener("change", () => {
    document.dispatchEvent(new Event("themechange"));
    label();
  });
}
