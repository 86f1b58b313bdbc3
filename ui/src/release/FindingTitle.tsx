import type { Finding } from "../api/wire";
import { useWords } from "../words";
import { useTell } from "../words/telling";

/** What was found; where the server's sentence has no words in the person's language, its subject and direction. */
export function FindingTitle({ finding }: { finding: Finding }) {
  const { locale, say } = useWords();
  const told = useTell()(finding.title);
  if (told.lang === locale) return <span>{told.text}</span>;
  return (
    <span>
      <span lang="en">{finding.subject}</span>: {say.direction[finding.direction]}
    </span>
  );
}
