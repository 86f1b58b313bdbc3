import { useQuery } from "@tanstack/react-query";
import { questions } from "../api/questions";
import { amount, count } from "../format/units";
import type { Selection } from "../selection/useSelection";
import { useWords } from "../words";
import { type LineQuestion, pricePath } from "./asking";

const DAY = 86_400_000;

/** What a question reads, and what its streams bring a day, as far as this time tells. */
export function PriceLine({ question, selection }: { question: LineQuestion; selection: Selection }) {
  const { locale, say } = useWords();
  const { bounds } = selection;
  const { data } = useQuery(questions.price(pricePath(question, bounds)));
  if (data === undefined) return null;
  const aDay = (data.bytes * DAY) / Math.max(1, bounds.until - bounds.from);
  return (
    <span className="soft small">
      {say.logs.reads(
        count(data.rows, locale),
        amount(data.bytes, "By", locale),
        data.seconds < 0.1 ? `< ${amount(100, "ms", locale)}` : amount(data.seconds, "s", locale),
      )}{" "}
      {say.logs.aDay(amount(aDay, "By", locale))}
    </span>
  );
}
