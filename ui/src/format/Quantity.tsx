import { useWords } from "../words";
import { amount } from "./units";

/** A number with its unit. */
export function Quantity({ value, unit }: { value: number | null; unit: string }) {
  const { locale } = useWords();
  return <span className="number">{amount(value, unit, locale)}</span>;
}
