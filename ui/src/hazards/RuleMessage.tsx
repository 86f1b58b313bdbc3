import { type Said, useRuleMessage } from "./spoken";

/** What a rule says of an object, in the person's language. */
export function RuleMessage({ of }: { of: Said }) {
  const told = useRuleMessage()(of);
  return <span lang={told.lang}>{told.text}</span>;
}
