import { type ReactNode, useState } from "react";
import { useWords } from "../words";
import { Button } from "./Button";

/** So many rows are made at first: ten thousand would take seconds to lay out, and nobody reads them. */
const FIRST = 100;

/** The first rows of a list of any length, and a button for the next ones while there are more. */
export function useSome<T>(all: readonly T[], first = FIRST): { some: readonly T[]; more: ReactNode } {
  const { say } = useWords();
  const [shown, setShown] = useState(first);
  const left = all.length - shown;
  const next = Math.min(left, Math.max(shown, first));
  return {
    some: left > 0 ? all.slice(0, shown) : all,
    more:
      left > 0 ? (
        <p>
          <Button quiet onClick={() => setShown(shown + next)}>
            {say.moreOf(next, left)}
          </Button>
        </p>
      ) : null,
  };
}
