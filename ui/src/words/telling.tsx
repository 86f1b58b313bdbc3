import { createContext, type ReactNode, useContext } from "react";
import { useWords } from ".";
import type { Catalogue } from "./en";
import { filled } from "./holes";

/** What a sentence of the server was made of: a template in English and its values, some of them sentences too. */
export interface Parts {
  template: string;
  values: Record<string, string | Parts>;
}

/** The parts of sentences by their text. */
export type Sentences = Readonly<Record<string, Parts>>;

/** A sentence in English, or with the templates of a table. A template that is not in it stays English. */
export function fill(parts: Parts, table: Catalogue["sentences"] = {}): string {
  const known = Object.hasOwn(table, parts.template) ? table[parts.template] : undefined;
  return filled(known ?? parts.template, (name, hole) => {
    const value = Object.hasOwn(parts.values, name) ? parts.values[name] : undefined;
    if (value === undefined) return hole;
    return typeof value === "string" ? value : fill(value, table);
  });
}

const Known = createContext<Sentences>({});

/** Whatever is told below may be one of these sentences. */
export const Telling = ({ sentences, children }: { sentences: Sentences; children: ReactNode }) => (
  <Known value={sentences}>{children}</Known>
);

/** Text in the person's language, and which language that is: what is not known stays English. */
export function useTell(): (text: string, parts?: Parts | null) => { text: string; lang: string } {
  const known = useContext(Known);
  const { locale, say } = useWords();
  return (text, parts) => {
    const made = parts ?? (Object.hasOwn(known, text) ? known[text] : undefined);
    if (locale === "en" || made === undefined || !Object.hasOwn(say.sentences, made.template)) {
      return { text, lang: "en" };
    }
    return { text: fill(made, say.sentences), lang: locale };
  };
}

/** A text of the server. `parts` are given where they came beside it. */
export function Told({ text, parts }: { text: string; parts?: Parts | null | undefined }) {
  const told = useTell()(text, parts ?? null);
  return <span lang={told.lang}>{told.text}</span>;
}
