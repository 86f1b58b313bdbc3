import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { type Catalogue, en } from "./en";

/** The languages of the page, each with its own name. English is in the first load, others on demand. */
export const LANGUAGES = { en: "English", ja: "日本語" } as const;
export type Language = keyof typeof LANGUAGES;

export interface Words {
  locale: Language;
  say: Catalogue;
  setLanguage: (language: Language) => void;
}

const KEPT = "pilothouse.language";
const Context = createContext<Words>({ locale: "en", say: en, setLanguage: () => {} });

/** The catalogue in force and its locale. */
export const useWords = (): Words => useContext(Context);

/** The language a person chose before, else the browser's, else English. */
export function preferredLanguage(kept: string | null, browser: readonly string[]): Language {
  const wished = [kept ?? "", ...browser].map((tag) => tag.slice(0, 2).toLowerCase());
  return wished.find((tag): tag is Language => Object.hasOwn(LANGUAGES, tag)) ?? "en";
}

async function load(language: Language): Promise<Catalogue> {
  return language === "ja" ? (await import("./ja")).ja : en;
}

/** Gives the page its words and sets the document's language. */
export function WordsProvider({ children }: { children: ReactNode }) {
  const [wished, setWished] = useState(() =>
    preferredLanguage(localStorage.getItem(KEPT), navigator.languages),
  );
  const [shown, setShown] = useState<{ locale: Language; say: Catalogue }>({ locale: "en", say: en });
  useEffect(() => {
    let current = true;
    load(wished).then((say) => current && setShown({ locale: wished, say }));
    return () => {
      current = false;
    };
  }, [wished]);
  useEffect(() => {
    document.documentElement.lang = shown.locale;
  }, [shown.locale]);
  const setLanguage = (language: Language) => {
    localStorage.setItem(KEPT, language);
    setWished(language);
  };
  return <Context value={{ ...shown, setLanguage }}>{children}</Context>;
}
