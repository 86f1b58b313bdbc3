import { useQuery } from "@tanstack/react-query";
import { useWords } from "../words";

/** What a rule is called and what it advises. */
export interface Spoken {
  title: string;
  advice: string;
}

/** A rule in the person's language, which `lang` says: a rule that is not in the page's table stays English. */
export type SpeakRule = (id: string, english: Spoken) => Spoken & { lang: string };

/** The rules' titles and advice in other languages come when they are needed: there are over a hundred. */
export function useRuleWords(): SpeakRule {
  const { locale } = useWords();
  const { data } = useQuery({
    queryKey: ["rules in", locale],
    queryFn: async (): Promise<Readonly<Partial<Record<string, Spoken>>>> =>
      (await import("../words/ja/rules.json")).default,
    enabled: locale === "ja",
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (id, english) => {
    const found = locale === "ja" && data && Object.hasOwn(data, id) ? data[id] : undefined;
    return found ? { ...found, lang: locale } : { ...english, lang: "en" };
  };
}
