import { Link } from "react-router";
import { sameSelection } from "../selection/useSelection";
import { useWords } from "../words";

/** From what a page has found to the question what is different about these; `these` are parts of Explore's address. */
export function AskDifferent({
  search,
  these,
}: {
  search: URLSearchParams;
  these: Record<string, string | null>;
}) {
  const { say } = useWords();
  return (
    <Link className="small" to={sameSelection(search, "/explore", these)}>
      {say.explore.different}
    </Link>
  );
}
