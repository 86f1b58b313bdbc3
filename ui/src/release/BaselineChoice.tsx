import { useSearchParams } from "react-router";
import { changeReleaseAddress } from "../address/release";
import { useWords } from "../words";
import styles from "./release.module.css";

/** Chooses the version to compare with. What the address says about the old pair's time, verdict and frame goes. */
export function BaselineChoice({ chosen, others }: { chosen: string; others: string[] }) {
  const { say } = useWords();
  const [search, setSearch] = useSearchParams();
  const choose = (baseline: string) =>
    setSearch(changeReleaseAddress(search, { baseline, start: null, end: null, verdict: null, frame: null }));
  return (
    <label className={styles.choose}>
      {say.compareWith}
      <select value={chosen} onChange={(event) => choose(event.target.value)}>
        {others.map((version) => (
          <option key={version}>{version}</option>
        ))}
      </select>
    </label>
  );
}
