import { useQuery } from "@tanstack/react-query";
import { useWords } from "../words";
import { type Interpreter, interpreter, type Patterns } from "../words/sayings";
import type { HazardFinding } from "./model";

/** What a rule is called, what it advises, and why. */
export interface Spoken {
  title: string;
  advice: string;
  why?: string;
}

/** The same in another language, with the patterns of what it says of an object. */
type InOther = Required<Spoken> & { says?: Patterns };

const useOther = () => {
  const { locale } = useWords();
  const { data } = useQuery({
    queryKey: ["rules in", locale],
    queryFn: async (): Promise<Readonly<Partial<Record<string, InOther>>>> =>
      (await import("../words/ja/rules.json")).default as Partial<Record<string, InOther>>,
    enabled: locale === "ja",
    staleTime: Number.POSITIVE_INFINITY,
  });
  return {
    locale,
    of: (id: string) => (locale === "ja" && data && Object.hasOwn(data, id) ? data[id] : undefined),
  };
};

/** A rule in the person's language, which `lang` says: a rule that is not in the page's table stays English. */
export type SpeakRule = (id: string, english: Spoken) => Spoken & { lang: string };

/** The rules' words in other languages come when they are needed: there are over a hundred. */
export function useRuleWords(): SpeakRule {
  const { locale, of } = useOther();
  return (id, english) => {
    const found = of(id);
    return found ? { ...english, ...found, lang: locale } : { ...english, lang: "en" };
  };
}

// Compiled once a rule.
const known = new Map<Patterns, Interpreter>();

/** What a rule says of an object; a rule that is not in the page's table stays English. */
export function useRuleMessage(): (of: Said) => { text: string; lang: string } {
  const { locale, of } = useOther();
  return ({ rule, title, message }) => {
    const found = of(rule);
    const text = message === title ? found?.title : interpreterOf(found?.says)(message);
    return text === undefined ? { text: message, lang: "en" } : { text, lang: locale };
  };
}

/** What of a finding is needed for that: a rule without a message says its title. */
export type Said = Pick<HazardFinding, "rule" | "title" | "message">;

function interpreterOf(says: Patterns = {}): Interpreter {
  const tell = known.get(says) ?? interpreter(says);
  known.set(says, tell);
  return tell;
}
