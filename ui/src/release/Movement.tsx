import type { Measured } from "../api/wire";
import { Quantity } from "../format/Quantity";
import { useWords } from "../words";

/** A measure and its two numbers, or the one there is. */
export function Movement({ of }: { of: Measured }) {
  const { say } = useWords();
  return (
    <>
      <span>{say.measure(of.measure)}</span>{" "}
      {of.baseline === null ? null : (
        <>
          <Quantity value={of.baseline} unit={of.unit} /> →{" "}
        </>
      )}
      <Quantity value={of.candidate} unit={of.unit} />
    </>
  );
}
