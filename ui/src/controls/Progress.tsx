import { useEffect, useState } from "react";
import { useWords } from "../words";
import { Button } from "./Button";
import styles from "./controls.module.css";

/** Work shorter than this, in milliseconds, shows nothing. */
const PATIENCE = 500;

/** What is going on, for how long, and a way to stop it; appears after half a second. */
export function Progress({ what, stop }: { what: string; stop?: () => void }) {
  const { locale, say } = useWords();
  const elapsed = useElapsed();
  if (elapsed < PATIENCE) return <div className={styles.waiting} aria-busy="true" />;
  const seconds = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }).format(elapsed / 1000);
  return (
    <div className={styles.progress}>
      <progress aria-label={what} />
      <span role="status">{what}</span>
      <span className="number" aria-hidden="true">
        {say.seconds(seconds)}
      </span>
      {stop ? <Button onClick={stop}>{say.stop}</Button> : null}
    </div>
  );
}

function useElapsed(): number {
  const [elapsed, setElapsed] = useState(0);
  useEffect(() => {
    const began = performance.now();
    const timer = setInterval(() => setElapsed(performance.now() - began), PATIENCE / 2);
    return () => clearInterval(timer);
  }, []);
  return elapsed;
}
