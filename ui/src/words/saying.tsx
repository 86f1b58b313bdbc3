import { useQuery } from "@tanstack/react-query";
import { useWords } from ".";
import { type Interpreter, interpreter } from "./sayings";

const nobody: Interpreter = () => undefined;

/** What the server says without its parts, in the person's language; the patterns come when they are needed. */
export function useSaying(): (text: string) => { text: string; lang: string } {
  const { locale } = useWords();
  const { data = nobody } = useQuery({
    queryKey: ["sayings in", locale],
    queryFn: async () => interpreter((await import("./ja/sayings.json")).default),
    enabled: locale === "ja",
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (text) => {
    const told = locale === "ja" ? data(text) : undefined;
    return told === undefined ? { text, lang: "en" } : { text: told, lang: locale };
  };
}

/** A text of the server in the person's language, or in English and marked as that. */
export function Saying({ text, className }: { text: string; className?: string | undefined }) {
  const told = useSaying()(text);
  return (
    <span lang={told.lang} className={className}>
      {told.text}
    </span>
  );
}
