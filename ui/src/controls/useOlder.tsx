import { type ReactNode, useState } from "react";
import { useWords } from "../words";
import { Button } from "./Button";

/**
 * How many of the newest are asked for, undefined for what the server gives by itself (`first`); and where the answer is
 * full, that it is, with a button for ten times as many, up to `most`.
 */
export function useOlder(
  first: number,
  most: number,
): { limit: number | undefined; older: (found: number) => ReactNode } {
  const { say } = useWords();
  const [asked, setAsked] = useState(first);
  return {
    limit: asked === first ? undefined : asked,
    older: (found) =>
      found < asked ? null : (
        <p className="soft small">
          {say.newest(asked)}{" "}
          {asked < most ? (
            <Button quiet onClick={() => setAsked(Math.min(10 * asked, most))}>
              {say.askOlder}
            </Button>
          ) : null}
        </p>
      ),
  };
}
