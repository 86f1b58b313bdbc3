import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { questions } from "../api/questions";
import type { Pattern } from "../api/signals";
import { Sparkline } from "../charts/Sparkline";
import { Answer } from "../controls/Answer";
import { Button } from "../controls/Button";
import { share } from "../format/changes";
import { count } from "../format/units";
import type { Selection } from "../selection/useSelection";
import { useWords } from "../words";
import { type LineQuestion, patternsPath } from "./asking";
import styles from "./logs.module.css";

/** So many patterns are listed at first. */
const FIRST = 40;

/** The shapes of the lines, the most frequent first, each with its course over time. */
export function Patterns({ question, selection }: { question: LineQuestion; selection: Selection }) {
  const { locale, say } = useWords();
  const [shown, setShown] = useState(FIRST);
  const asked = questions.patterns(patternsPath(question, selection.bounds));
  const answered = useQuery(asked);
  const all = (patterns: Pattern[]) => patterns.reduce((sum, one) => sum + one.total, 0);
  return (
    <Answer question={answered} queryKey={asked.queryKey} what={say.logs.searching}>
      {(patterns) =>
        patterns.length === 0 ? (
          <p className={styles.none}>{say.logs.none}</p>
        ) : (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
          <section className={styles.scroll} aria-label={say.logs.views.patterns} tabIndex={0}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{say.logs.pattern}</th>
                  <th scope="col">{say.logs.course}</th>
                  <th scope="col" className="right">
                    {say.logs.number}
                  </th>
                  <th scope="col" className="right">
                    {say.logs.share}
                  </th>
                  <td />
                </tr>
              </thead>
              <tbody>
                {patterns.slice(0, shown).map((pattern) => (
                  <tr key={pattern.pattern}>
                    <td title={pattern.example}>
                      {pattern.pattern.trim() === "" ? (
                        <em>{say.logs.blank}</em>
                      ) : (
                        <code className={styles.pattern}>{pattern.pattern}</code>
                      )}
                    </td>
                    <td>
                      <Sparkline
                        points={pattern.samples}
                        bounds={selection.bounds}
                        label={`${say.logs.course}: ${pattern.pattern}`}
                      />
                    </td>
                    <td className="right">{count(pattern.total, locale)}</td>
                    <td className="right">{share(pattern.total / all(patterns), locale)}</td>
                    <td className="right">
                      {longest(pattern.pattern) === "" ? null : (
                        <Button
                          quiet
                          aria-label={`${say.logs.show}: ${pattern.pattern}`}
                          onClick={() =>
                            selection.change({ find: longest(pattern.pattern), view: null }, true)
                          }
                        >
                          {say.logs.show}
                        </Button>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
            {patterns.length > shown ? (
              <Button quiet onClick={() => setShown(shown + 100)}>
                {say.moreOf(Math.min(100, patterns.length - shown), patterns.length - shown)}
              </Button>
            ) : null}
          </section>
        )
      }
    </Answer>
  );
}

/** The longest text of a pattern that is the same in all its lines. */
export function longest(pattern: string): string {
  const fixed = pattern.split(/<_>|<\*>/).map((part) => part.trim());
  return fixed.reduce((best, part) => (part.length > best.length ? part : best), "");
}
