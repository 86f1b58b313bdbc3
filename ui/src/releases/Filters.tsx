import { JUDGEMENTS, RANGES, type Range, type ReleasesAddress } from "../address/releases";
import { Choice } from "../controls/Choice";
import { SearchField } from "../controls/SearchField";
import { count } from "../format/units";
import { type Judgement, VerdictMark } from "../verdict/VerdictBadge";
import { useWords } from "../words";
import styles from "./releases.module.css";

interface Props {
  address: ReleasesAddress;
  counts: Record<Judgement, number>;
  onChange: (change: Partial<ReleasesAddress>) => void;
}

const UNITS = { h: "hour", d: "day" } as const;

/** What is shown: by name, by verdict, by time. The verdicts say how many there are of each. */
export function Filters({ address, counts, onChange }: Props) {
  const { locale, say } = useWords();
  const verdicts = JUDGEMENTS.map((value) => ({
    value,
    text: (
      <>
        <VerdictMark of={value} size={13} />
        <span className={styles.verdictWord}>{say.verdicts[value]}</span>{" "}
        <span className="number">{count(counts[value], locale)}</span>
      </>
    ),
  }));
  const ranges = RANGES.map((value) => ({ value, text: rangeText(value, locale, say.all) }));
  return (
    <search className={styles.filters}>
      <SearchField label={say.filterServices} value={address.find} onChange={(find) => onChange({ find })} />
      <Choice
        label={say.onlyVerdict}
        value={address.verdict}
        options={[{ value: "all", text: say.all }, ...verdicts]}
        onChange={(verdict) => onChange({ verdict })}
      />
      <Choice
        label={say.window}
        value={address.last}
        options={ranges}
        onChange={(last) => onChange({ last })}
      />
    </search>
  );
}

function rangeText(range: Range, locale: string, all: string): string {
  if (range === "all") return all;
  const unit = UNITS[range.slice(-1) as "h" | "d"];
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "narrow" }).format(
    Number.parseInt(range, 10),
  );
}
