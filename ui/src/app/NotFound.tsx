import { Link } from "react-router";
import { useWords } from "../words";
import { useTitle } from "./title";

/** An address that leads nowhere, and the way back. */
export function NotFound() {
  const { say } = useWords();
  useTitle(say.notFound);
  return (
    <>
      <h1>{say.notFound}</h1>
      <p>
        <Link to="/">{say.notFoundDo}</Link>
      </p>
    </>
  );
}
