import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { apiPath } from "../api/client";
import { questions } from "../api/questions";
import type { DetectedField } from "../api/signals";
import { Answer } from "../controls/Answer";
import { share } from "../format/changes";
import { count } from "../format/units";
import type { Selection } from "../selection/useSelection";
import { useWords } from "../words";
import { type LineQuestion, logql, range } from "./asking";
import styles from "./logs.module.css";

interface Props {
  question: LineQuestion;
  selection: Selection;
}

/** What fields the lines have, and of a chosen one how often each value occurs. */
export function Fields({ question, selection }: Props) {
  const { say } = useWords();
  const [chosen, setChosen] = useState<string | null>(null);
  const { bounds } = selection;
  const asked = questions.detectedFields(
    apiPath("/loki/api/v1/detected_fields", { query: logql(question), ...range(bounds), line_limit: "2000" }),
  );
  const answered = useQuery(asked);
  return (
    <Answer question={answered} queryKey={asked.queryKey} what={say.logs.searching}>
      {(fields) =>
        fields.length === 0 ? (
          <p className={styles.none}>{say.logs.none}</p>
        ) : (
          <div className={styles.fields}>
            <ul aria-label={say.logs.views.fields}>
              {fields.map((field) => (
                <li key={field.label}>
                  <button
                    type="button"
                    aria-pressed={field.label === chosen}
                    onClick={() => setChosen(field.label === chosen ? null : field.label)}
                  >
                    <code>{field.label}</code>
                    <span className="soft">
                      {field.type} · {say.logs.values(field.cardinality)}
                    </span>
                  </button>
                </li>
              ))}
            </ul>
            <div>
              {chosen === null ? (
                <p className="soft">{say.logs.chooseField}</p>
              ) : (
                <Values
                  field={fields.find((one) => one.label === chosen) ?? null}
                  question={question}
                  selection={selection}
                />
              )}
            </div>
          </div>
        )
      }
    </Answer>
  );
}

/** So many values are shown. */
const MOST = 20;

function Values({ field, question, selection }: Props & { field: DetectedField | null }) {
  const { locale, say } = useWords();
  const name = field?.label ?? "";
  const asked = questions.logVector(valuesPath(field, question, selection));
  const answered = useQuery(asked);
  const { data: whole } = useQuery(questions.logVector(totalPath(question, selection)));
  const total = Number(whole?.[0]?.value[1] ?? 0);
  return (
    <Answer question={answered} queryKey={asked.queryKey} what={say.logs.counting}>
      {(found) => {
        const rows = found
          .map(({ metric, value }) => ({ value: metric[name] ?? "", lines: Number(value[1]) }))
          .sort((a, b) => b.lines - a.lines);
        const all =
          Math.max(
            total,
            rows.reduce((sum, row) => sum + row.lines, 0),
          ) || 1;
        return (
          <table>
            <caption className={styles.caption}>
              <code>{name}</code> {rows.length >= MOST ? say.logs.frequent(MOST) : null}
            </caption>
            <thead>
              <tr>
                <th scope="col">{say.logs.value}</th>
                <th scope="col" className="right">
                  {say.logs.number}
                </th>
                <th scope="col">{say.logs.share}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.value}>
                  <td>
                    <code>{row.value || "–"}</code>
                  </td>
                  <td className="right">{count(row.lines, locale)}</td>
                  <td>
                    <span className={styles.part}>
                      <i style={{ width: `${(row.lines / all) * 100}%` }} />
                      {share(row.lines / all, locale)}
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        );
      }}
    </Answer>
  );
}

/** How many lines there are in all, so that a share is a share of them. */
function totalPath(question: LineQuestion, { bounds }: Selection): string {
  const seconds = Math.max(1, Math.round((bounds.until - bounds.from) / 1000));
  const query = `sum(count_over_time(${logql(question)} [${seconds}s]))`;
  return apiPath("/loki/api/v1/query", { query, time: String(Math.round(bounds.until / 1000)) });
}

function valuesPath(field: DetectedField | null, question: LineQuestion, { bounds }: Selection): string {
  const parser = field?.parsers?.[0];
  const pipeline = [question.pipeline, parser ? `| ${parser}` : ""].filter(Boolean).join(" ");
  const seconds = Math.max(1, Math.round((bounds.until - bounds.from) / 1000));
  const lines = logql({ ...question, pipeline });
  const query = `topk(${MOST}, sum by (${field?.label ?? ""}) (count_over_time(${lines} [${seconds}s])))`;
  return apiPath("/loki/api/v1/query", { query, time: String(Math.round(bounds.until / 1000)) });
}
