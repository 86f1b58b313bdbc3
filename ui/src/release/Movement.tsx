import type { Measured } from "../api/wire";
import { Quantity } from "../format/Quantity";

/** A measure and its two numbers, or the one there is. */
export function Movement({ of }: { of: Measured }) {
  return (
    <>
      <span lang="en">{of.measure}</span>{" "}
      {of.baseline === null ? null : (
        <>
          <Quantity value={of.baseline} unit={of.unit} /> →{" "}
        </>
      )}
      <Quantity value={of.candidate} unit={of.unit} />
    </>
  );
}
