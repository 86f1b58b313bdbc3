import { useQuery } from "@tanstack/react-query";
import { apiPath } from "../api/client";
import { questions } from "../api/questions";
import { NameChoice } from "../controls/NameChoice";
import type { Selection } from "../selection/useSelection";
import { useWords } from "../words";
import styles from "./dashboards.module.css";
import { type Chosen, filled } from "./filling";
import type { Variable } from "./model";

interface Props {
  variable: Variable;
  selection: Selection;
  chosen: Chosen;
  value: string;
}

/** One of a variable's values, or all. */
export function VariableChoice({ variable, selection, chosen, value }: Props) {
  const { say } = useWords();
  const { name, label, values_of: source, options } = variable;
  const of = source?.of ? filled(source.of, chosen, selection.bounds) : "";
  const path = apiPath(`/prometheus/api/v1/label/${encodeURIComponent(source?.label ?? "job")}/values`, {
    "match[]": of,
  });
  const { data: found = [] } = useQuery({ ...questions.labelValues(path), enabled: source !== undefined });
  const values = [...new Set([...(options ?? []), ...found, ...(value ? [value] : [])])];
  const choose = (next: string) => selection.change({ [`var-${name}`]: next });
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: one of two controls is inside
    <label className={styles.variable}>
      {label ?? name}
      {source === undefined && options === undefined ? (
        <input defaultValue={value} onBlur={(event) => choose(event.target.value)} />
      ) : (
        <NameChoice label={null} any={say.all} value={value} values={values} onChange={choose} />
      )}
    </label>
  );
}
