import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from "react";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

interface Shown {
  theme: Theme;
  dark: boolean;
  setTheme: (theme: Theme) => void;
}

const KEPT = "pilothouse.theme";
const Context = createContext<Shown>({ theme: "auto", dark: false, setTheme: () => {} });
const systemIsDark = window.matchMedia("(prefers-color-scheme: dark)");

/** The colours that a person chose, and whether what is shown is dark. */
export const useTheme = (): Shown => useContext(Context);

/** Sets `data-theme` on the document, which sets `color-scheme`, from which every colour follows. */
export function ThemeProvider({ children }: { children: ReactNode }) {
  const [theme, setTheme] = useState<Theme>(() => kept());
  const systemDark = useSyncExternalStore(watchSystem, () => systemIsDark.matches);
  document.documentElement.dataset.theme = theme;
  useEffect(() => localStorage.setItem(KEPT, theme), [theme]);
  const dark = theme === "auto" ? systemDark : theme === "dark";
  return <Context value={{ theme, dark, setTheme }}>{children}</Context>;
}

function kept(): Theme {
  const text = localStorage.getItem(KEPT);
  return THEMES.find((theme) => theme === text) ?? "auto";
}

function watchSystem(changed: () => void) {
  systemIsDark.addEventListener("change", changed);
  return () => systemIsDark.removeEventListener("change", changed);
}

/** What custom properties such as `--ink` come to now, for what is drawn on a canvas. */
export function coloursOf<Name extends string>(names: readonly Name[]): Record<Name, string> {
  const probe = document.body.appendChild(document.createElement("i"));
  const read = (name: Name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = Object.fromEntries(names.map((name) => [name, read(name)])) as Record<Name, string>;
  probe.remove();
  return colours;
}
