import type { Finding } from "../api/wire";
import { useWords } from "../words";

/** What was found: the server's own sentence in English, its subject and direction in other languages. */
export function FindingTitle({ finding }: { finding: Finding }) {
  const { locale, say } = useWords();
  if (locale === "en") return <span>{finding.title}</span>;
  return (
    <span>
      <span lang="en">{finding.subject}</span>: {say.direction[finding.direction]}
    </span>
  );
}
